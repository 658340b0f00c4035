"""What moves when providers leave or one joins: of the users, and of what they used lately."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from gateway.api.days import read_days
from gateway.ledger.queries import ActivityQuery
from gateway.ledger.results import ActivityRow
from gateway.ledger.store import Store
from gateway.routing.moves import moved_tokens, moved_users
from gateway.routing.pool import Pool
from gateway.routing.ring import Ring
from gateway.routing.router import Router

RingUsage = Mapping[Ring, Sequence[tuple[bytes, int]]]
"""By ring: tokens, and the key on it of the user who used them."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Providers that leave, and the name and weight of one that joins."""

    leaving: Collection[str] = ()
    joining: str | None = None
    weight: float = 1.0

    def applied_to(self, ring: Ring) -> Ring:
        """The ring afterwards."""
        weights = {name: ring.weights[name] for name in ring.names if name not in self.leaving}
        if self.joining is not None:
            weights[self.joining] = self.weight
        return Ring(weights, ring.points)


class Flow(msgspec.Struct, frozen=True, kw_only=True, rename={"source": "from"}):
    """The share of all users that moves from one home to another."""

    source: str
    to: str
    users: float


class Moves(msgspec.Struct, frozen=True, kw_only=True):
    """What a change moves, as shares of 1.

    `tokens`: of all that were used since yesterday 00:00 UTC; null where users have no home, or are
    too many, and while the ledger does not answer. `home`: where the user asked about lives then.
    """

    users: float
    tokens: float | None
    home: str | None
    between: tuple[Flow, ...]


async def recent_usage(
    store: Store, router: Router, pool: Pool | None, tenants: frozenset[str] | None, today: int
) -> RingUsage:
    """What users used yesterday and `today`, days since the epoch: of `pool`'s models, or of all.

    `tenants`: whose users, None for everybody's. StoreUnavailable when the store does not answer,
    TooManyUsers when there are more users than one answer may read.
    """
    rows: list[ActivityRow] = []
    for day in (today - 1, today):
        query = ActivityQuery(since=day, until=day, tenants=tenants, by=frozenset({"user"}))
        rows += await read_days(store, query)
    return await asyncio.to_thread(_by_ring, rows, router, pool)


def _by_ring(rows: Iterable[ActivityRow], router: Router, pool: Pool | None) -> RingUsage:
    usage: defaultdict[Ring, list[tuple[bytes, int]]] = defaultdict(list)
    for row in rows:
        serving = router.pool(row.model)
        # Users of a model that nobody serves any more have no home to move from.
        if serving and row.user is not None and pool in (None, serving):
            key = f"{row.tenant}\0{row.user}".encode()
            usage[serving.ring].append((key, row.counts.tokens))
    return usage


async def moves(
    ring: Ring, change: Change, ring_key: bytes | None, usage: RingUsage | None
) -> Moves:
    """What `change` moves on `ring`, and of `usage`; `ring_key` is the asked user's."""
    after = await asyncio.to_thread(change.applied_to, ring)
    users = await asyncio.to_thread(moved_users, ring, after)
    flows = (Flow(source=old, to=new, users=share) for (old, new), share in sorted(users.items()))
    return Moves(
        users=sum(users.values()),
        tokens=None if usage is None else await asyncio.to_thread(_moved_share, change, usage),
        home=None if ring_key is None else after.home(ring_key),
        between=tuple(flows),
    )


def _moved_share(change: Change, usage: RingUsage) -> float:
    total = sum(tokens for used in usage.values() for _, tokens in used)
    moved = sum(moved_tokens(ring, change.applied_to(ring), used) for ring, used in usage.items())
    return moved / total if total else 0.0
