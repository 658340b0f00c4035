"""What the hashes of periods hold: rows of counters, and what single users have."""

from collections.abc import Iterable, Mapping, Sequence

from gateway.ledger.counts import COUNTERS, Counts
from gateway.ledger.redis.client import Client
from gateway.ledger.redis.keys import Shards
from gateway.ledger.redis.periods import Part, by_tenant_and_shard
from gateway.ledger.results import UserRow
from gateway.ledger.topn import TenantUser

_NAMES = {name.encode(): name for name in COUNTERS}

Fields = Mapping[bytes, bytes]
"""A hash as Redis sends it."""


def counts_by_row(fields: Fields) -> dict[bytes, Counts]:
    """The counters of a day's or an hour's hash, by row: what comes before a counter's name."""
    found: dict[bytes, dict[str, int]] = {}
    for field, value in fields.items():
        row, colon, counter = field.rpartition(b":")
        if colon:
            found.setdefault(row, {})[counter.decode()] = int(value)
    return {row: Counts(**counters) for row, counters in found.items()}


def counts_of(fields: Fields) -> Counts:
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


async def user_rows(
    client: Client, shards: Shards, parts: Sequence[Part], people: Sequence[TenantUser]
) -> list[UserRow]:
    """Their rows over the periods together, in the order given; users without data are left out."""
    own = by_tenant_and_shard(parts)
    wanted = [
        (tenant, user, own.get((tenant, shards.of(tenant, user)), [])) for tenant, user in people
    ]
    replies = iter(
        await client.ask(
            [("HGETALL", part.user(user)) for _, user, some in wanted for part in some]
        )
    )
    found = [
        user_row(tenant, user, [(part.period, next(replies)) for part in some])
        for tenant, user, some in wanted
    ]
    return [row for row in found if row]


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
