"""Applying parcels: one transaction that counts what was not counted before."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence

import msgspec

from gateway.calendar import DAY
from gateway.ledger.counts import COUNTERS
from gateway.ledger.increments import sum_of
from gateway.ledger.parcel import Parcel
from gateway.ledger.sqlite.counters import ADDED, add_to, insert
from gateway.ledger.sqlite.months import add_to_months
from gateway.ledger.sqlite.where import Where
from gateway.ledger.tally import Tally, grouped, rows_of, tallied

_GENERATION = (
    "id", "created_at", "tenant", "user", "model", "provider", "status", "outcome", "flags",
    "upstream_id", "record",
)  # fmt: skip
_FLAGS = COUNTERS.index("flags")
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


def apply(db: sqlite3.Connection, parcels: Sequence[Parcel]) -> None:
    """Count what was not counted before, and move the writers on, all at once."""
    db.execute("BEGIN IMMEDIATE")
    with db:
        fresh = _not_applied(parcels, positions(db, {one.writer for one in parcels}))
        (kept_from,) = db.execute("SELECT kept_from FROM retention").fetchone()
        in_time = [each for each in fresh if each.created_at // DAY >= kept_from]
        counted = _not_kept(db, in_time)
        db.executemany(_INSERT_GENERATION, [_row(each) for each in counted])
        tally = tallied(grouped(counted))
        _add_to_days(db, tally)
        _add_to_totals(db, tally)
        add_to_months(db, tally)
        db.executemany(_MOVE_WRITER, _moves(fresh))


def positions(db: sqlite3.Connection, writers: Collection[str]) -> dict[str, int]:
    """Of those writers that were met before."""
    where = Where().among("writer", writers)
    return dict(db.execute(f"SELECT writer, sequence FROM writers {where}", where.values))


def _not_applied(parcels: Sequence[Parcel], applied: Mapping[str, int]) -> list[Parcel]:
    reached = dict(applied)
    fresh: list[Parcel] = []
    for one in parcels:
        writer, sequence = one.writer, one.sequence
        if sequence > reached.get(writer, 0):
            reached[writer] = sequence
            fresh.append(one)
    return fresh


def _not_kept(db: sqlite3.Connection, parcels: Sequence[Parcel]) -> list[Parcel]:
    by_id: dict[str, Parcel] = {}
    for one in parcels:
        by_id.setdefault(one.id, one)
    # One JSON parameter: the number of plain ones in a statement is limited.
    kept = db.execute(
        "SELECT id FROM generations WHERE id IN (SELECT value FROM json_each(?))",
        (_encode(list(by_id)).decode(),),
    )
    for (known,) in kept:
        del by_id[known]
    return list(by_id.values())


def _row(one: Parcel) -> tuple[object, ...]:
    series = one.series
    model, provider, _ = series.row
    return (
        one.id,
        one.created_at,
        series.tenant,
        one.user,
        model or None,
        provider or None,
        one.status,
        one.outcome,
        one.increments[_FLAGS],
        one.upstream_id,
        one.packed,
    )


def _add_to_days(db: sqlite3.Connection, tally: Tally) -> None:
    db.executemany(
        _ADD_TO_ACTIVITY,
        [
            (day, tenant, user, *row)
            for (day, tenant), users in tally.days.items()
            for user, indexes in users.items()
            for row in _user_rows(tally.of(indexes))
        ],
    )


def _user_rows(parcels: list[Parcel]) -> list[tuple[str | int, ...]]:
    """Of a user's day, each with its counters and when the user was first and last seen."""
    moments = [one.created_at for one in parcels]
    first, last = min(moments), max(moments)
    return [(*row, *sum_of(several), first, last) for row, several in rows_of(parcels).items()]


def _add_to_totals(db: sqlite3.Connection, tally: Tally) -> None:
    """What names nobody; there are few keys, so most of a batch is added up here."""
    hours = [
        ((hour, tenant, model, provider), sum_of(several))
        for (hour, tenant), rows in sorted(tally.hours.items())
        for (model, provider, _), several in rows.items()
    ]
    days = [
        (*part, *row, *sum_of(several))
        for part, rows in tally.totals.items()
        for row, several in rows.items()
    ]
    db.executemany(_ADD_TO_HOURS, [(*key, *sums) for key, sums in hours])
    db.executemany(_ADD_TO_TOTALS, days)
    db.executemany(_EXTEND_LIST, [(*list_, hour // 24) for (hour, *list_), _ in hours])


def _moves(parcels: Sequence[Parcel]) -> list[tuple[str, int, int]]:
    newest: dict[str, int] = {}
    last: dict[str, int] = {}
    for one in parcels:
        writer = one.writer
        newest[writer] = max(one.created_at, newest.get(writer, 0))
        last[writer] = one.sequence
    return [(writer, sequence, newest[writer] // DAY) for writer, sequence in last.items()]
