"""Leaderboards of a prefix that very many users' names begin with, in Redis."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from redis.asyncio import Redis

from gateway.calendar import month_of
from gateway.ledger.queries import LeaderboardOrder, LeaderboardQuery
from gateway.ledger.redis import RedisStore, keys
from gateway.ledger.redis.client import Client, Command
from gateway.ledger.redis.keys import Shards
from gateway.ledger.store import Store
from tests.parts import counting
from tests.parts.generations import DAY, generation, records
from tests.parts.redis_servers import shared_server
from tests.parts.stores import FOREVER, STORES, prefix_of, shared

MONTH = month_of(DAY)
CROWD = [
    *(generation(number, user=f"user_{number:04}", cost=number + 1) for number in range(700)),
    *(generation(number, user=f"z_{number}", cost=0, status=500) for number in range(1000, 1600)),
]
"""Those whose names begin with `user_` stand before the others by cost, after them by errors."""


@pytest.fixture(params=["redis", "cluster"])
async def store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Store]:
    """One shard, where there are many on a board, or sixteen, where there are few."""
    async with shared(request.param, tmp_path_factory.getbasetemp(), CROWD) as opened:
        yield opened


@pytest.mark.parametrize("prefix", ["user_", "user_00", "z_", "z", "x"])
async def test_pages_of_a_prefix(store: Store, prefix: str) -> None:
    """Whether the order is walked or names are looked up, the page is the same, both ways."""
    rows = counting.of_month(CROWD, MONTH, None)
    own = [row for row in rows if (row.user or "").startswith(prefix)]
    for order in get_args(LeaderboardOrder):
        value = counting.VALUES.get(order)
        expected = sorted(own, key=lambda row: -value(row)) if value else own
        query = msgspec.convert(
            {"month": MONTH, "prefix": prefix, "order": order, "offset": 50, "limit": 40},
            LeaderboardQuery,
        )
        assert list(await store.leaderboard(query)) == expected[50:90]
        reverse = msgspec.structs.replace(query, ascending=True)
        assert list(await store.leaderboard(reverse)) == expected[::-1][50:90]


async def test_erased_meanwhile(tmp_path: Path) -> None:
    """Who leaves the boards after its name was read is not on the page."""
    async with STORES["redis"](tmp_path) as opened:
        await opened.apply(records(*CROWD[:9]))
        (shard,) = Shards(prefix_of(tmp_path), 1).all
        board = shard.board(keys.month(MONTH), "app", "cost")
        shared_server().command("ZREM", board, "user_0004")
        rows = await opened.leaderboard(LeaderboardQuery(month=MONTH, prefix="user_"))
    assert [row.user for row in rows] == [f"user_{n:04}" for n in (8, 7, 6, 5, 3, 2, 1, 0)]


class Overtaken(Client):
    """Somebody new comes first after each read of a board."""

    def __init__(self, redis: Redis, leads: Callable[[], Awaitable[None]]) -> None:
        super().__init__(redis, "overtaken")
        self._leads = leads

    async def ask(self, commands: Sequence[Command]) -> list[Any]:
        replies = await super().ask(commands)
        if commands and commands[0][0] == "ZREVRANGE":
            await self._leads()
        return replies


async def test_overtaken_meanwhile(tmp_path: Path) -> None:
    """Nobody stands on a page twice, though places change between the reads it is made of."""
    shards, numbers = Shards(prefix_of(tmp_path), 1), count(5_000)

    async def lead() -> None:
        number = next(numbers)
        first = generation(number, user=f"zz_{number}", cost=0)
        await opened.apply(records(first, writer=f"late-{number}"))

    redis = Redis.from_url(shared_server().url, protocol=2)
    opened = RedisStore(Overtaken(redis, lead), shards, FOREVER)
    try:
        for start in range(0, len(CROWD), 500):
            await opened.apply(records(*CROWD[start : start + 500], first=start + 1))
        query = LeaderboardQuery(month=MONTH, prefix="user_", ascending=True, limit=320)
        users = [row.user for row in await opened.leaderboard(query)]
    finally:
        await opened.close()
    assert len(users) == len(set(users)) == 320
