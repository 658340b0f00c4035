"""Which hours, days and months have data, and what their hashes hold."""

from collections.abc import Iterable, Mapping

import msgspec

from gateway.ledger.counts import COUNTERS, Counts
from gateway.ledger.redis import keys
from gateway.ledger.redis.client import Client
from gateway.ledger.redis.keys import Shard, Shards
from gateway.ledger.results import UserRow

_NAMES = {name.encode(): name for name in COUNTERS}

Fields = Mapping[bytes, bytes]
"""A hash as Redis sends it."""


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


async def parts(
    client: Client, shards: Shards, since: int | str, until: int | str, kind: str = ""
) -> list[Part]:
    """Those of all periods that end between two days, both included, or of one `kind` of them."""
    beginning = kind.encode()
    replies = await client.ask(
        [("ZRANGEBYSCORE", shard.periods, since, until) for shard in shards.all]
    )
    return [
        Part(shard, *keys.split(member))
        for shard, members in zip(shards.all, replies, strict=True)
        for member in members
        if member.startswith(beginning)
    ]


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


def rows(fields: Fields) -> dict[bytes, Counts]:
    """The counters of a day's or an hour's hash, by row: what comes before a counter's name."""
    found: dict[bytes, dict[str, int]] = {}
    for field, value in fields.items():
        row, colon, counter = field.rpartition(b":")
        if colon:
            found.setdefault(row, {})[counter.decode()] = int(value)
    return {row: Counts(**counters) for row, counters in found.items()}


def single(fields: Fields) -> Counts:
    """The counters of a hash without rows."""
    return Counts(**{name: int(fields.get(name.encode(), 0)) for name in COUNTERS})


def user_row(tenant: str, user: str, hashes: Iterable[tuple[str, Fields]]) -> UserRow | None:
    """A user over several periods, given with the user's hash of each; None if all are empty."""
    kept = [(period, fields) for period, fields in hashes if fields]
    if not kept:
        return None
    return UserRow(
        tenant=tenant,
        user=user or None,
        counts=_together(fields for _, fields in kept),
        active_days=sum(_active_days(period, fields) for period, fields in kept),
        first_seen=min(int(fields[b"first"]) for _, fields in kept),
        last_seen=max(int(fields[b"last"]) for _, fields in kept),
    )


def _together(hashes: Iterable[Fields]) -> Counts:
    """The sum over a user's days, with their rows, and months."""
    sums = dict.fromkeys(_NAMES, 0)
    for fields in hashes:
        for field, value in fields.items():
            counter = field.rpartition(b":")[2]
            if counter in sums:
                sums[counter] += int(value)
    return Counts(**{_NAMES[counter]: count for counter, count in sums.items()})


def _active_days(period: str, fields: Fields) -> int:
    return 1 if period[0] == "d" else int(fields[b"days"]).bit_count()
