"""What changes the file; each function is one transaction."""

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import repeat

import msgspec

from gateway.generation import Generation, Record
from gateway.ledger.sqlite.months import add_to_months
from gateway.ledger.sqlite.reads import positions
from gateway.ledger.store import COUNTERS, Counts

_DAY = 86_400_000_000

_ADDED = ", ".join(f"{counter} = {counter} + excluded.{counter}" for counter in COUNTERS)


def _values(columns: Collection[str]) -> str:
    return f"({', '.join(columns)}) VALUES ({', '.join(repeat('?', len(columns)))})"


_GENERATION = (
    "id", "created_at", "tenant", "user", "model", "provider", "status", "outcome", "flags",
    "upstream_id", "record",
)  # fmt: skip
_TOTALS_KEY = ("day", "tenant", "model", "provider")
_ACTIVITY_KEY = ("day", "tenant", "user", "model", "provider")

_INSERT_GENERATION = f"INSERT INTO generations {_values(_GENERATION)}"
_ADD_TO_TOTALS = f"""
    INSERT INTO totals {_values((*_TOTALS_KEY, *COUNTERS))}
    ON CONFLICT ({", ".join(_TOTALS_KEY)}) DO UPDATE SET {_ADDED}
"""
_ADD_TO_ACTIVITY = f"""
    INSERT INTO activity {_values((*_ACTIVITY_KEY, *COUNTERS, "first_seen", "last_seen"))}
    ON CONFLICT ({", ".join(_ACTIVITY_KEY)}) DO UPDATE SET {_ADDED},
        first_seen = min(first_seen, excluded.first_seen),
        last_seen = max(last_seen, excluded.last_seen)
"""
_MOVE_WRITER = """
    INSERT INTO writers (writer, sequence, day) VALUES (?, ?, ?)
    ON CONFLICT (writer) DO UPDATE SET sequence = excluded.sequence, day = max(day, excluded.day)
"""


def apply(db: sqlite3.Connection, records: Sequence[Record]) -> None:
    """Count what was not counted before, and move the writers on, all at once."""
    db.execute("BEGIN IMMEDIATE")
    with db:
        fresh = list(_not_applied(records, positions(db, {record.writer for record in records})))
        counted = _not_kept(db, [record.generation for record in fresh])
        db.executemany(_INSERT_GENERATION, map(_generation_row, counted))
        db.executemany(_ADD_TO_TOTALS, map(_totals_row, counted))
        db.executemany(_ADD_TO_ACTIVITY, map(_activity_row, counted))
        add_to_months(db, counted)
        db.executemany(_MOVE_WRITER, _moves(fresh))


def begin_expiry(db: sqlite3.Connection, generations_before: int, activity_before: int) -> None:
    """Note which days are about to be incomplete; forget writers that counted on none of the rest.

    Noted first, so that a crash midway leaves nobody comparing days that lost generations.
    """
    complete_from = max(-(-generations_before // _DAY), activity_before)
    db.execute("BEGIN IMMEDIATE")
    with db:
        db.execute("UPDATE retention SET complete_from = max(complete_from, ?)", (complete_from,))
        db.execute("DELETE FROM writers WHERE day < ?", (activity_before,))


def expire_some(db: sqlite3.Connection, table: str, before: int, most: int) -> int:
    """Delete at most `most` rows of one table older than `before`, in its unit; how many it were.

    Few at a time, so that records can be applied in between.
    """
    age, key = _EXPIRING[table]
    columns = ", ".join(key)
    return db.execute(
        f"DELETE FROM {table} WHERE ({columns}) IN"
        f" (SELECT {columns} FROM {table} WHERE {age} < ? ORDER BY {age} LIMIT ?)",
        (before, most),
    ).rowcount


_EXPIRING = {
    "generations": ("created_at", ("id",)),
    "activity": ("day", _ACTIVITY_KEY),
    "totals": ("day", _TOTALS_KEY),
    "months": ("month", ("month", "tenant", "user")),
    "spreads": ("month", ("month", "tenant", "measure", "bar")),
}


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
        (msgspec.json.encode(list(by_id)).decode(),),
    )
    for (known,) in kept:
        del by_id[known]
    return list(by_id.values())


def _generation_row(generation: Generation) -> tuple[object, ...]:
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
        msgspec.json.encode(generation),
    )


def _totals_row(generation: Generation) -> tuple[object, ...]:
    return (
        generation.day,
        generation.tenant,
        generation.model or "",
        generation.provider or "",
        *msgspec.structs.astuple(Counts.of(generation)),
    )


def _activity_row(generation: Generation) -> tuple[object, ...]:
    return (
        generation.day,
        generation.tenant,
        generation.user or "",
        generation.model or "",
        generation.provider or "",
        *msgspec.structs.astuple(Counts.of(generation)),
        generation.created_at,
        generation.created_at,
    )


def _moves(records: Sequence[Record]) -> list[tuple[str, int, int]]:
    days: dict[str, int] = {}
    for record in records:
        days[record.writer] = max(record.generation.day, days.get(record.writer, 0))
    last = {record.writer: record.sequence for record in records}
    return [(writer, sequence, days[writer]) for writer, sequence in last.items()]
