"""Searching the users of a range of days: all their hashes are read, and filtered in memory."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import msgspec

from gateway.ledger.memory_search import distribution_of, merged, page_of
from gateway.ledger.queries import SearchPage, UserSearch
from gateway.ledger.redis.client import Client
from gateway.ledger.redis.hashes import user_row
from gateway.ledger.redis.keys import Shards
from gateway.ledger.redis.periods import Part, Place, all_users, on_their_shards
from gateway.ledger.redis.spans import spans
from gateway.ledger.results import Distribution, FoundUsers, UserRow
from gateway.ledger.store import TooManyUsers

_AT_ONCE = 200
"""How many hashes are read before the event loop gets its turn."""


class Limits(msgspec.Struct, frozen=True):
    """How many `users` one question may be about, and the `days`, or whole months, that those were
    there on: half a minute of work."""

    users: int = 100_000
    days: int = 1_000_000


LIMITS = Limits()


async def search_users(
    client: Client, shards: Shards, query: UserSearch, page: SearchPage, limits: Limits = LIMITS
) -> FoundUsers:
    """See Store."""
    rows = await _everyone(client, shards, query, limits)
    return await asyncio.to_thread(page_of, rows, query.condition, page)


async def distribution(
    client: Client, shards: Shards, query: UserSearch, limits: Limits = LIMITS
) -> Distribution:
    """See Store."""
    rows = await _everyone(client, shards, query, limits)
    return await asyncio.to_thread(distribution_of, rows, query.condition)


async def _everyone(
    client: Client, shards: Shards, query: UserSearch, limits: Limits
) -> list[UserRow]:
    found = await spans(client, shards, query.since, query.until, query.tenants)
    parts = [part for span in found for part in span.parts]
    if query.users is None:
        places = await _places(client, parts, limits)
    else:
        places = on_their_shards(shards, parts, query.users)
    rows = [*query.extra]
    for start in range(0, len(places), _AT_ONCE):
        rows += await _rows(client, places[start : start + _AT_ONCE])
    return await asyncio.to_thread(merged, rows)


async def _places(client: Client, parts: Sequence[Part], limits: Limits) -> list[Place]:
    """Before so many names are read, they are counted."""
    sizes = await client.ask([("ZCARD", part.board("requests")) for part in parts])
    users: Counter[str] = Counter()
    for part, size in zip(parts, sizes, strict=True):
        users[part.period] += size
    if max(users.values(), default=0) > limits.users or sum(sizes) > limits.days:
        raise _too_many(limits)
    places = await all_users(client, parts)
    if len({(part.tenant, user) for part, user in places}) > limits.users:
        raise _too_many(limits)
    return places


async def _rows(client: Client, places: Sequence[Place]) -> list[UserRow]:
    """What is kept of each; who was erased meanwhile is left out."""
    hashes = await client.ask([("HGETALL", part.user(user)) for part, user in places])
    rows = (
        user_row(part.tenant, user, [(part.period, fields)])
        for (part, user), fields in zip(places, hashes, strict=True)
    )
    return [row for row in rows if row]


def _too_many(limits: Limits) -> TooManyUsers:
    return TooManyUsers(
        f"More than {limits.users} users had requests in this time, or those on more than"
        f" {limits.days} days in all, which is too much to look through in Redis; ask for whole"
        " months, a shorter time, or for one user"
    )
