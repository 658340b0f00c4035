"""Counting parcels: one call of the script for each shard, made again without what is not new."""

from collections.abc import Sequence

from gateway.calendar import DAY
from gateway.ledger.parcel import Parcel
from gateway.ledger.redis.batch import ScriptCall, Writer
from gateway.ledger.redis.builder import build_call
from gateway.ledger.redis.client import Client
from gateway.ledger.redis.keys import Shard, Shards
from gateway.ledger.redis.lifetimes import Lifetimes


class _WriterProgress:
    """How far parcels go in a writer's journal, and when the newest of them was created."""

    def __init__(self) -> None:
        self.last = 0
        self.newest = 0


class _Portion:
    """A shard's portion of the parcels: those that are new as far as is known here."""

    def __init__(
        self, shard: Shard, parcels: Sequence[Parcel], writers: dict[str, _WriterProgress]
    ) -> None:
        self.shard = shard
        self.parcels = parcels
        self.writers = writers

    def call(self, lifetimes: Lifetimes) -> ScriptCall:
        """The call that counts them."""
        first = _first(self.parcels)
        writers = [
            Writer(name, progress.last, progress.newest // DAY, first.get(name))
            for name, progress in self.writers.items()
        ]
        return build_call(self.shard, self.parcels, writers, lifetimes)

    def without(
        self, positions: Sequence[bytes], kept: Sequence[bytes], kept_from: int
    ) -> "_Portion":
        """What is new, by the shard's reply: the writers' positions, the ids it keeps, and the
        first day of which it keeps anything."""
        reached = {
            writer: int(position) for writer, position in zip(self.writers, positions, strict=True)
        }
        known = {each.decode() for each in kept}
        fresh = [
            one
            for one in self.parcels
            if one.id not in known
            and one.sequence > reached[one.writer]
            and one.created_at // DAY >= kept_from
        ]
        return _Portion(self.shard, fresh, self.writers)


async def apply(
    client: Client, shards: Shards, lifetimes: Lifetimes, parcels: Sequence[Parcel]
) -> None:
    """Shards without a parcel in the batch are called as well, as their writers move too: every
    shard has everything up to the lowest position that any of them has.

    A shard that knows some of its portion replies with what it knows. The next call leaves that
    out, so each has less to count than the one before, and there is a last one.
    """
    portions = _portions(shards, parcels)
    while portions:
        replies = await client.run([portion.call(lifetimes) for portion in portions])
        portions = [
            portion.without(*reply)
            for portion, reply in zip(portions, replies, strict=True)
            if isinstance(reply, list)
        ]


def _portions(shards: Shards, parcels: Sequence[Parcel]) -> list[_Portion]:
    writers: dict[str, _WriterProgress] = {}
    by_shard: dict[Shard, dict[str, Parcel]] = {shard: {} for shard in shards.all}
    for one in parcels:
        by_shard[shards.of(one.series.tenant, one.user)].setdefault(one.id, one)
        writer = one.writer
        progress = writers.get(writer)
        if progress is None:
            progress = writers[writer] = _WriterProgress()
        progress.last = max(progress.last, one.sequence)
        progress.newest = max(progress.newest, one.created_at)
    return [_Portion(shard, [*by_id.values()], writers) for shard, by_id in by_shard.items()]


def _first(parcels: Sequence[Parcel]) -> dict[str, int]:
    """Each writer's first sequence among the parcels."""
    first: dict[str, int] = {}
    for one in parcels:
        writer, sequence = one.writer, one.sequence
        if sequence < first.get(writer, sequence + 1):
            first[writer] = sequence
    return first
