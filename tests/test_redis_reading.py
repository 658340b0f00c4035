"""How much is asked of Redis at a time, however much there is."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from gateway.ledger.queries import GenerationQuery
from gateway.ledger.redis import RedisStore
from gateway.ledger.redis.client import Client, Command
from gateway.ledger.redis.keys import Shards
from tests.parts.generations import generation, records
from tests.parts.redis_servers import shared_server
from tests.parts.stores import FOREVER, counted, prefix_of


class Listening(Client):
    """A client that notes the length of its longest reply."""

    longest = 0

    async def ask(self, commands: Sequence[Command]) -> list[Any]:
        replies = await super().ask(commands)
        lengths = (len(reply) for reply in replies if isinstance(reply, list))
        self.longest = max(self.longest, *lengths, 0)
        return replies


@pytest.fixture
async def listening(tmp_path: Path) -> AsyncIterator[Listening]:
    """A client of a store with 2,500 users."""
    client = Listening(Redis(port=shared_server().port, protocol=2), "redis")
    store = listened_to(client, tmp_path)
    batch = records(*(generation(number, user=f"user_{number}") for number in range(2500)))
    for start in range(0, len(batch), store.batch_size):
        await store.apply(batch[start : start + store.batch_size])
    yield client
    await client.close()


def listened_to(client: Listening, folder: Path) -> RedisStore:
    """The folder's store."""
    return RedisStore(client, Shards(prefix_of(folder), 1), FOREVER)


async def test_recount_of_many(listening: Listening, tmp_path: Path) -> None:
    """A recount reads some users and some generations at a time, however many there are."""
    assert await counted(listened_to(listening, tmp_path)) == 2500
    assert 0 < listening.longest < 2500


async def test_next_page(listening: Listening, tmp_path: Path) -> None:
    """A page of generations after another reads no more than that page, and where it begins."""
    store = listened_to(listening, tmp_path)
    first = await store.generations(GenerationQuery(limit=50))
    cursor = first[-1].created_at, first[-1].id
    listening.longest = 0
    assert len(await store.generations(GenerationQuery(limit=50, before=cursor))) == 50
    assert listening.longest == 2 * 51
