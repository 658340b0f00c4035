"""How much Redis looks through for one question about users."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.ledger.queries import SearchPage, UserSearch
from gateway.ledger.redis.connect import connect
from gateway.ledger.redis.keys import Shards
from gateway.ledger.redis.search import Limits, distribution, search_users
from gateway.ledger.store import TooManyUsers
from gateway.redisurl import Address
from tests.parts.crowds import crowd
from tests.parts.generations import DAY
from tests.parts.redis_servers import shared_server
from tests.parts.stores import filled, prefix_of

CROWD = crowd()


@pytest.mark.parametrize("limits", [Limits(users=3), Limits(days=3)], ids=["users", "days"])
async def test_too_many(tmp_path: Path, limits: Limits) -> None:
    """It says how many it looks through, rather than answer in part; named users are few."""
    client, shards = connect(Address.parse(shared_server().url)), Shards(prefix_of(tmp_path), 1)
    everyone = UserSearch(since=0, until=99_999)
    both = rf"More than {limits.users} users .* more than {limits.days} days in all"
    async with filled("redis", tmp_path, CROWD):
        for query in (everyone, UserSearch(since=DAY, until=DAY + 9)):
            with pytest.raises(TooManyUsers, match=both):
                await distribution(client, shards, query, limits)
        named, page = replace(everyone, users=frozenset({"user_1"})), SearchPage(order="usd")
        assert (await search_users(client, shards, named, page, limits)).count == 2
    await client.close()
