"""Counting records: one call of the script a shard, again without what turned out to be known."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from gateway.generation import Generation, Record
from gateway.ledger.redis.batch import Call, Writer
from gateway.ledger.redis.client import Client
from gateway.ledger.redis.draft import drafted
from gateway.ledger.redis.keys import Keys, Shards
from gateway.ledger.redis.lifetimes import Lifetimes


class _Part(msgspec.Struct, frozen=True):
    """A shard's part of the records: those that are new as far as is known here."""

    names: Keys
    records: Sequence[Record]
    writers: Sequence[Writer]

    def call(self, lifetimes: Lifetimes) -> Call:
        fresh = [record.generation for record in self.records]
        return drafted(self.names, fresh, self.writers, lifetimes)

    def without(self, reached: Sequence[bytes], kept: Sequence[int]) -> "_Part":
        """What is left when the shard has told how far writers were, and what it has."""
        positions = {
            writer.name: int(position)
            for writer, position in zip(self.writers, reached, strict=True)
        }
        places = set(kept)
        fresh = [
            record
            for place, record in enumerate(self.records, 1)
            if place not in places and record.sequence > positions[record.writer]
        ]
        return _part(self.names, fresh, self.writers)


async def apply(
    client: Client, shards: Shards, lifetimes: Lifetimes, records: Sequence[Record]
) -> None:
    """Shards without a record in the batch are called as well, as their writers move too.

    So a writer's lowest position on any shard is one up to which all of them have everything. A
    call that is refused is answered with what the shard knows already; without that there is less
    to count each time, so there is an end to it.
    """
    parts = _parts(shards, records)
    while parts:
        replies = await client.run([part.call(lifetimes) for part in parts])
        parts = [
            part.without(*reply)
            for part, reply in zip(parts, replies, strict=True)
            if isinstance(reply, list)
        ]


def _parts(shards: Shards, records: Sequence[Record]) -> list[_Part]:
    writers = _writers(records)
    homes: dict[Keys, dict[str, Record]] = {names: {} for names in shards.all}
    for record in records:
        one: Generation = record.generation
        homes[shards.of(one.tenant, one.user)].setdefault(one.id, record)
    return [_part(names, [*found.values()], writers) for names, found in homes.items()]


def _part(names: Keys, records: Sequence[Record], writers: Sequence[Writer]) -> _Part:
    first = _first(records)
    told = [msgspec.structs.replace(each, first=first.get(each.name)) for each in writers]
    return _Part(names, records, told)


def _first(records: Iterable[Record]) -> Mapping[str, int]:
    """Where what is counted of each writer begins."""
    first: dict[str, int] = {}
    for record in records:
        first[record.writer] = min(record.sequence, first.get(record.writer, record.sequence))
    return first


def _writers(records: Iterable[Record]) -> list[Writer]:
    met: dict[str, Writer] = {}
    for record in records:
        last = met.get(record.writer, Writer(record.writer, 0, 0))
        met[record.writer] = Writer(
            record.writer,
            max(last.last, record.sequence),
            max(last.day, record.generation.day),
        )
    return list(met.values())
