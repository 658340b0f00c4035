"""Daily rows out of Redis."""

from pathlib import Path

from gateway.ledger.queries import ActivityQuery
from tests.parts.generations import DAY, generation, records
from tests.parts.redis_servers import shared_server
from tests.parts.stores import redis_at
from tests.parts.turning import longest_turn


async def test_calls_go_on_meanwhile(tmp_path: Path) -> None:
    """However many users' days are added up, the process' loop goes on turning."""
    query = ActivityQuery(since=DAY, until=DAY, by=frozenset({"tenant", "user"}))
    batch = records(*(generation(number, user=f"user_{number}") for number in range(10_000)))
    async with redis_at(shared_server().url, tmp_path) as store:
        for start in range(0, len(batch), 2000):
            await store.apply(batch[start : start + 2000])
        assert await longest_turn(store.activity(query)) < 0.2
