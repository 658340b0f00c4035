"""Applying records: one transaction that counts what was not counted before."""

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec

from gateway.calendar import HOUR
from gateway.generation import Generation, Record
from gateway.ledger.sqlite.counters import ADDED, Numbers, add_to, insert, summed
from gateway.ledger.sqlite.months import Single, add_to_months
from gateway.ledger.sqlite.where import Where
from gateway.ledger.store import COUNTERS, Counts

_GENERATION = (
    "id", "created_at", "tenant", "user", "model", "provider", "status", "outcome", "flags",
    "upstream_id", "record",
)  # fmt: skip
_ACTIVITY_KEY = ("day", "tenant", "user", "model", "provider", "route")

_INSERT_GENERATION = insert("generations", _GENERATION)
_ADD_TO_TOTALS = add_to("totals", ("day", "tenant", "model", "provider", "route"))
_ADD_TO_HOURS = add_to("hours", ("hour", "tenant", "model", "provider"))
_ADD_TO_ACTIVITY = f"""
    {insert("activity", (*_ACTIVITY_KEY, *COUNTERS, "first_seen", "last_seen"))}
    ON CONFLICT ({", ".join(_ACTIVITY_KEY)}) DO UPDATE SET {ADDED},
        first_seen = min(first_seen, excluded.first_seen),
        last_seen = max(last_seen, excluded.last_seen)
"""
_EXTEND_LIST = """
    INSERT INTO lists (tenant, model, provider, day) VALUES (?, ?, ?, ?)
    ON CONFLICT (tenant, model, provider) DO UPDATE SET day = excluded.day WHERE day < excluded.day
"""
_MOVE_WRITER = """
    INSERT INTO writers (writer, sequence, day) VALUES (?, ?, ?)
    ON CONFLICT (writer) DO UPDATE SET sequence = excluded.sequence, day = max(day, excluded.day)
"""

_encode = msgspec.json.Encoder().encode


def apply(db: sqlite3.Connection, records: Sequence[Record]) -> None:
    """Count what was not counted before, and move the writers on, all at once."""
    db.execute("BEGIN IMMEDIATE")
    with db:
        fresh = list(_not_applied(records, positions(db, {record.writer for record in records})))
        counted = _not_kept(db, [record.generation for record in fresh])
        db.executemany(_INSERT_GENERATION, map(_row, counted))
        singles = [Single(each, msgspec.structs.astuple(Counts.of(each))) for each in counted]
        _add_to_days(db, singles)
        _add_to_totals(db, singles)
        add_to_months(db, singles)
        db.executemany(_MOVE_WRITER, _moves(fresh))


def positions(db: sqlite3.Connection, writers: Collection[str]) -> dict[str, int]:
    """Of those writers that were met before."""
    where = Where().among("writer", writers)
    return dict(db.execute(f"SELECT writer, sequence FROM writers {where}", where.values))


def _not_applied(records: Sequence[Record], applied: Mapping[str, int]) -> Iterator[Record]:
    reached = dict(applied)
    for record in records:
        if record.sequence > reached.get(record.writer, 0):
            reached[record.writer] = record.sequence
            yield record


def _not_kept(db: sqlite3.Connection, generations: Sequence[Generation]) -> list[Generation]:
    by_id: dict[str, Generation] = {}
    for generation in generations:
        by_id.setdefault(generation.id, generation)
    # One JSON parameter: the number of plain ones in a statement is limited.
    kept = db.execute(
        "SELECT id FROM generations WHERE id IN (SELECT value FROM json_each(?))",
        (_encode(list(by_id)).decode(),),
    )
    for (known,) in kept:
        del by_id[known]
    return list(by_id.values())


def _row(generation: Generation) -> tuple[object, ...]:
    return (
        generation.id,
        generation.created_at,
        generation.tenant,
        generation.user,
        generation.model,
        generation.provider,
        generation.status,
        generation.outcome,
        len(generation.flags),
        generation.upstream_id,
        _encode(generation),
    )


def _add_to_days(db: sqlite3.Connection, singles: Sequence[Single]) -> None:
    moments: dict[tuple[object, ...], list[int]] = {}
    keyed: list[tuple[tuple[object, ...], Numbers]] = []
    for one, adds in singles:
        key = (
            one.day, one.tenant, one.user or "", one.model or "", one.provider or "",
            one.route or "",
        )  # fmt: skip
        moments.setdefault(key, []).append(one.created_at)
        keyed.append((key, adds))
    db.executemany(
        _ADD_TO_ACTIVITY,
        (
            (*key, *sums, min(moments[key]), max(moments[key]))
            for key, sums in summed(keyed).items()
        ),
    )


def _add_to_totals(db: sqlite3.Connection, singles: Sequence[Single]) -> None:
    """What names nobody; there are few keys, so most of a batch is added up here."""
    by_hour = summed(
        (
            (
                one.created_at // HOUR, one.tenant, one.model or "", one.provider or "",
                one.route or "",
            ),
            adds,
        )
        for one, adds in singles
    )  # fmt: skip
    hours = summed((key[:4], sums) for key, sums in by_hour.items())
    days = summed(((key[0] // 24, *key[1:]), sums) for key, sums in by_hour.items())
    db.executemany(_ADD_TO_HOURS, ((*key, *sums) for key, sums in hours.items()))
    db.executemany(_ADD_TO_TOTALS, ((*key, *sums) for key, sums in days.items()))
    db.executemany(_EXTEND_LIST, ((*list_, hour // 24) for hour, *list_ in sorted(hours)))


def _moves(records: Sequence[Record]) -> list[tuple[str, int, int]]:
    days: dict[str, int] = {}
    for record in records:
        days[record.writer] = max(record.generation.day, days.get(record.writer, 0))
    last = {record.writer: record.sequence for record in records}
    return [(writer, sequence, days[writer]) for writer, sequence in last.items()]
