"""Which hours, days and months have data, and which users are in them."""

from collections.abc import Collection, Iterable, Sequence

import msgspec

from gateway.ledger.redis import keys
from gateway.ledger.redis.client import Client
from gateway.ledger.redis.keys import Shard, Shards


class Part(msgspec.Struct, frozen=True):
    """A tenant's part of one shard in one period."""

    shard: Shard
    period: str
    tenant: str

    @property
    def number(self) -> int:
        return int(self.period[1:])

    def board(self, order: str) -> str:
        return self.shard.board(self.period, self.tenant, order)

    def user(self, user: str) -> str:
        return self.shard.user(self.period, self.tenant, user)

    @property
    def totals(self) -> str:
        return self.shard.totals(self.period, self.tenant)

    @property
    def rows(self) -> str:
        return self.shard.rows(self.period, self.tenant)

    @property
    def erased(self) -> str:
        return self.shard.erased(self.period, self.tenant)

    @property
    def spread(self) -> str:
        return self.shard.spread(self.period, self.tenant)


Place = tuple[Part, str]
"""A user in a period."""


async def parts(
    client: Client, shards: Shards, since: int | str, until: int | str, kinds: str
) -> list[Part]:
    """Those of the periods that end between two days, both included, and begin with one of the
    letters of `kinds`."""
    beginnings = tuple(kind.encode() for kind in kinds)
    replies = await client.ask(
        [("ZRANGEBYSCORE", shard.periods, since, until) for shard in shards.all]
    )
    return [
        Part(shard, *keys.split(member))
        for shard, members in zip(shards.all, replies, strict=True)
        for member in members
        if member.startswith(beginnings)
    ]


def by_tenant_and_shard(parts: Iterable[Part]) -> dict[tuple[str, Shard], list[Part]]:
    """The periods of each tenant on each shard."""
    found: dict[tuple[str, Shard], list[Part]] = {}
    for part in parts:
        found.setdefault((part.tenant, part.shard), []).append(part)
    return found


async def noted(client: Client, shards: Shards, field: str) -> int:
    """The highest that any shard has in this field of its `retention`."""
    notes = await client.ask([("HGET", shard.retention, field) for shard in shards.all])
    return max(int(note or 0) for note in notes)


async def days(
    client: Client, shards: Shards, since: int, until: int, tenants: frozenset[str] | None
) -> list[Part]:
    """Days of tenants within a range, without those past their retention, gone or not."""
    first = max(since, await noted(client, shards, "activity_from"))
    found = await parts(client, shards, first, until, "d")
    return [part for part in found if _of(part, tenants)]


async def hours(
    client: Client, shards: Shards, since: int, until: int, tenants: frozenset[str] | None
) -> list[Part]:
    """Hours of tenants within a range."""
    found = await parts(client, shards, since // 24, until // 24, "h")
    return [part for part in found if since <= part.number <= until and _of(part, tenants)]


async def months(
    client: Client, shards: Shards, month: int, tenants: frozenset[str] | None
) -> list[Part]:
    """One month of tenants."""
    end = keys.last_day(keys.month(month))
    found = await parts(client, shards, end, end, "m")
    return [part for part in found if _of(part, tenants)]


def _of(part: Part, tenants: frozenset[str] | None) -> bool:
    return tenants is None or part.tenant in tenants


async def all_users(client: Client, parts: Sequence[Part]) -> list[Place]:
    """Each part with each user in it."""
    boards = await client.ask([("ZRANGE", part.board("requests"), 0, -1) for part in parts])
    return [
        (part, user.decode()) for part, users in zip(parts, boards, strict=True) for user in users
    ]


def on_their_shards(shards: Shards, parts: Sequence[Part], users: Collection[str]) -> list[Place]:
    """Each part with those of these users who are on its shard."""
    return [
        (part, user)
        for part in parts
        for user in users
        if shards.of(part.tenant, user) is part.shard
    ]
