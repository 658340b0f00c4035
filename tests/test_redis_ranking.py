"""The first users of a range, by boards that are added up, and by months read from their top."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.generation import Usage
from gateway.ledger.redis import RedisStore
from gateway.ledger.redis.client import Client
from gateway.ledger.redis.connect import connect
from gateway.ledger.redis.keys import Shards
from gateway.ledger.redis.ranking import FEW, ranked
from gateway.ledger.redis.spans import spans
from gateway.redisurl import Address
from tests.parts import counting
from tests.parts.crowds import ORDERS, RANGES, crowd
from tests.parts.generations import DAY, generation, records
from tests.parts.redis_servers import shared_server
from tests.parts.stores import FOREVER, prefix_of

CROWD = crowd(900, users=200)
NEVER = -1


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """Of a real Redis."""
    opened = connect(Address.parse(shared_server().url))
    yield opened
    await opened.close()


@pytest.fixture
def shards(tmp_path: Path) -> Shards:
    """More than one, as a Cluster has them."""
    return Shards(prefix_of(tmp_path), 3)


@pytest.mark.parametrize("few", [FEW, NEVER], ids=["added up", "looked up"])
@pytest.mark.parametrize("span", RANGES)
async def test_both_ways_agree(client: Client, shards: Shards, span: str, few: int) -> None:
    """Whatever the range, the order and how many are wanted, both ways give the first ones."""
    since, until = RANGES[span]
    await RedisStore(client, shards, FOREVER).apply(records(*CROWD))
    found = await spans(client, shards, since, until, None)
    meant = [each for each in CROWD if since <= each.day <= until]
    for order in ORDERS:
        expected = [(row.tenant, row.user or "") for row in counting.users(meant, order)]
        for count in (0, 1, 25, 999):
            assert await ranked(client, found, order, count, few) == expected[:count]


async def test_those_who_have_none(client: Client, shards: Shards) -> None:
    """However many there are, they come by name, and nobody who was not there on these days."""
    users = [f"user_{number:04}" for number in range(2500)]
    calls = [
        generation(number, day=DAY + number % 3, user=user, usage=Usage(), cost=0)
        for number, user in enumerate(users)
    ]
    await RedisStore(client, shards, FOREVER).apply(records(*calls))
    found = await spans(client, shards, DAY, DAY + 1, None)
    expected = [("app", user) for number, user in enumerate(users) if number % 3 < 2]
    for few in (FEW, NEVER):
        for count in (5, 1200, 9999):
            assert await ranked(client, found, "cost", count, few) == expected[:count]
