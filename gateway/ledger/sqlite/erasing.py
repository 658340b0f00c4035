"""Erasing one end user, a part in each transaction.

The totals keep what the user's calls cost. Each part adds what it deletes to the `erased` counters
of its day, so that the recount balances after every transaction.
"""

import sqlite3
from collections.abc import Sequence

from gateway.ledger.increments import Sums, increments_of
from gateway.ledger.packing import readable
from gateway.ledger.sqlite.counters import SUMS, add_to, summed
from gateway.ledger.sqlite.months import Shifts
from gateway.ledger.sqlite.presence import days_in

_ADD_TO_ERASED = add_to("erased", ("day", "kind"))
_ONE_LESS = "UPDATE active_users SET users = users - 1 WHERE (day, tenant) = (?, ?)"

_BRIEF = 200
"""Milliseconds."""


def erase_generations(db: sqlite3.Connection, tenant: str, user: str, most: int) -> int:
    """Delete at most `most` of the user's generations; returns how many there were."""
    db.execute("BEGIN IMMEDIATE")
    with db:
        found = db.execute(
            "SELECT id, record FROM generations WHERE (tenant, user) = (?, ?) LIMIT ?",
            (tenant, user, most),
        ).fetchall()
        singles = readable(record for _, record in found)
        _keep_sums(db, "generations", summed((one.day, increments_of(one)) for one in singles))
        db.executemany("DELETE FROM generations WHERE id = ?", ((each,) for each, _ in found))
    return len(found)


def erase_month(db: sqlite3.Connection, tenant: str, user: str) -> bool:
    """Delete one of the user's months with its days; returns whether there was one."""
    db.execute("BEGIN IMMEDIATE")
    with db:
        for (month,) in db.execute("SELECT DISTINCT month FROM spreads").fetchall():
            key = (month, tenant, user)
            row = db.execute(
                "DELETE FROM months WHERE (month, tenant, user) = (?, ?, ?)"
                " RETURNING requests, cost, days",
                key,
            ).fetchone()
            if row:
                requests, cost, bits = row
                shifts = Shifts()
                shifts.leave(key, requests, cost)
                shifts.write(db)
                _erase_days(db, tenant, user, [*days_in(month, bits)])
                return True
    return False


def scrub(db: sqlite3.Connection) -> None:
    """Copy the log into the file and empty it: pages from before the erasure leave the disk.

    Readers and other writers need not wait; if one is in the way for long, whichever connection
    empties the log next does it (sqlite.org/pragma.html#pragma_wal_checkpoint).
    """
    (timeout,) = db.execute("PRAGMA busy_timeout").fetchone()
    db.execute(f"PRAGMA busy_timeout = {_BRIEF}")
    try:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        db.execute(f"PRAGMA busy_timeout = {timeout}")


def _erase_days(db: sqlite3.Connection, tenant: str, user: str, days: Sequence[int]) -> None:
    where = "WHERE day IN (SELECT value FROM json_each(?)) AND (tenant, user) = (?, ?)"
    values = (str(days), tenant, user)
    rows = db.execute(f"SELECT day, {SUMS} FROM activity {where} GROUP BY day", values)
    _keep_sums(db, "rows", {day: tuple(numbers) for day, *numbers in rows})
    db.execute(f"DELETE FROM activity {where}", values)
    db.executemany(_ONE_LESS, ((day, tenant) for day in days))


def _keep_sums(db: sqlite3.Connection, kind: str, days: dict[int, Sums]) -> None:
    db.executemany(_ADD_TO_ERASED, ((day, kind, *numbers) for day, numbers in days.items()))
