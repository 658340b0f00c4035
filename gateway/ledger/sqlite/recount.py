"""Counting everything again, three ways."""

import sqlite3
from collections.abc import Iterator

from gateway.ledger.counts import Counts
from gateway.ledger.increments import Sums, increments_of, sum_of
from gateway.ledger.packing import readable
from gateway.ledger.results import Recount
from gateway.ledger.sqlite.counters import COLUMNS, SUMS, counts_of

Days = dict[int, Sums]


def recount(db: sqlite3.Connection) -> Recount:
    """All from one snapshot, so that records applied meanwhile do not look like drift."""
    db.execute("BEGIN")
    with db:
        complete_from, since = db.execute(
            "SELECT complete_from, activity_from FROM retention"
        ).fetchone()
        return Recount(
            by_user=_counts(_by_day(db, "activity", since), _erased(db, "rows", since)),
            by_provider=_counts(_by_day(db, "totals", since)),
            by_generation=_counts(_by_generation(db), _erased(db, "generations", since)),
            complete_from=complete_from,
        )


def _by_day(db: sqlite3.Connection, table: str, since: int) -> Days:
    rows = db.execute(f"SELECT day, {SUMS} FROM {table} WHERE day >= ? GROUP BY day", (since,))
    return {day: tuple(numbers) for day, *numbers in rows}


def _erased(db: sqlite3.Connection, kind: str, since: int) -> Days:
    rows = db.execute(
        f"SELECT day, {COLUMNS} FROM erased WHERE kind = ? AND day >= ?", (kind, since)
    )
    return {day: tuple(numbers) for day, *numbers in rows}


def _by_generation(db: sqlite3.Connection) -> Days:
    """Out of the full records, not out of anything that was derived from them."""
    days: Days = {}
    for day, numbers in _singles(db):
        days[day] = sum_of([days[day], numbers]) if day in days else numbers
    return days


def _singles(db: sqlite3.Connection) -> Iterator[tuple[int, Sums]]:
    records = db.execute("SELECT record FROM generations")
    for single in readable(record for (record,) in records):
        yield single.day, increments_of(single)


def _counts(*several: Days) -> dict[int, Counts]:
    days = {day for each in several for day in each}
    return {
        day: counts_of(sum_of([each[day] for each in several if day in each]))
        for day in sorted(days)
    }
