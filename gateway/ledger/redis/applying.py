"""Counting parcels: one call of the script a shard, again without what turned out to be known."""

from collections.abc import Sequence

from gateway.calendar import DAY
from gateway.ledger.parcel import Parcel
from gateway.ledger.redis.batch import Call, Writer
from gateway.ledger.redis.client import Client
from gateway.ledger.redis.draft import drafted
from gateway.ledger.redis.keys import Keys, Shards
from gateway.ledger.redis.lifetimes import Lifetimes


class Reach:
    """How far parcels go in a writer's journal, and the newest moment they count at."""

    def __init__(self) -> None:
        self.last = 0
        self.newest = 0


class _Part:
    """A shard's part of the parcels: those that are new as far as is known here."""

    def __init__(self, names: Keys, parcels: Sequence[Parcel], reached: dict[str, Reach]) -> None:
        self.names = names
        self.parcels = parcels
        self.reached = reached

    def call(self, lifetimes: Lifetimes) -> Call:
        """That counts them."""
        first = _first(self.parcels)
        writers = [
            Writer(name, reach.last, reach.newest // DAY, first.get(name))
            for name, reach in self.reached.items()
        ]
        return drafted(self.names, self.parcels, writers, lifetimes)

    def without(self, reached: Sequence[bytes], kept: Sequence[bytes], kept_from: int) -> "_Part":
        """What is left when the shard has told how far writers were, what it has, and the first
        day of which it keeps anything."""
        positions = {
            writer: int(position) for writer, position in zip(self.reached, reached, strict=True)
        }
        known = {each.decode() for each in kept}
        fresh = [
            one
            for one in self.parcels
            if one.id not in known
            and one.sequence > positions[one.writer]
            and one.created_at // DAY >= kept_from
        ]
        return _Part(self.names, fresh, self.reached)


async def apply(
    client: Client, shards: Shards, lifetimes: Lifetimes, parcels: Sequence[Parcel]
) -> None:
    """Shards without a parcel in the batch are called as well, as their writers move too.

    So a writer's lowest position on any shard is one up to which all of them have everything. A
    call that is refused is answered with what the shard knows already; without that there is less
    to count each time, so there is an end to it.
    """
    parts = _parts(shards, parcels)
    while parts:
        replies = await client.run([part.call(lifetimes) for part in parts])
        parts = [
            part.without(*reply)
            for part, reply in zip(parts, replies, strict=True)
            if isinstance(reply, list)
        ]


def _parts(shards: Shards, parcels: Sequence[Parcel]) -> list[_Part]:
    reached: dict[str, Reach] = {}
    homes: dict[Keys, dict[str, Parcel]] = {names: {} for names in shards.all}
    for one in parcels:
        homes[shards.of(one.series.tenant, one.user)].setdefault(one.id, one)
        writer = one.writer
        reach = reached.get(writer)
        if reach is None:
            reach = reached[writer] = Reach()
        reach.last = max(reach.last, one.sequence)
        reach.newest = max(reach.newest, one.created_at)
    return [_Part(names, [*found.values()], reached) for names, found in homes.items()]


def _first(parcels: Sequence[Parcel]) -> dict[str, int]:
    """Where what is counted of each writer begins."""
    first: dict[str, int] = {}
    for one in parcels:
        writer, sequence = one.writer, one.sequence
        if sequence < first.get(writer, sequence + 1):
            first[writer] = sequence
    return first
