"""The days a user was active on: a bit for each in the month, so days need no index by user."""

import sqlite3
from collections.abc import Iterator

from gateway.calendar import day_of_month, first_day, last_day, month_of

EVERY_DAY = (1 << 32) - 2
"""The bits of all days that a month can have."""


def first_kept(db: sqlite3.Connection, since: int) -> int:
    """`since`, or the first day that is not forgotten, or about to be."""
    kept_from: int = db.execute("SELECT activity_from FROM retention").fetchone()[0]
    return max(since, kept_from)


def months_kept(db: sqlite3.Connection, since: int, until: int) -> range:
    """The months that days `since` to `until` lie in, as far as there are any."""
    first, last = db.execute(
        "SELECT (SELECT min(month) FROM months), (SELECT max(month) FROM months)"
    ).fetchone()
    if first is None:
        return range(0)
    return range(max(first, month_of(since)), min(last, month_of(until)) + 1)


def days_of(db: sqlite3.Connection, tenant: str, user: str, since: int, until: int) -> list[int]:
    """The user's days with a request, of `since` to `until`."""
    found: list[int] = []
    for month in months_kept(db, since, until):
        row = db.execute(
            "SELECT days FROM months WHERE (month, tenant, user) = (?, ?, ?)", (month, tenant, user)
        ).fetchone()
        if row:
            found += days_in(month, row[0] & bits_of(month, since, until))
    return found


def bits_of(month: int, since: int, until: int) -> int:
    """A bit for each day of the month that lies in `since` to `until`; EVERY_DAY when all do, none
    where `until` is less."""
    if until < since:
        return 0
    if since <= first_day(month) and last_day(month) <= until:
        return EVERY_DAY
    first = day_of_month(max(since, first_day(month)))
    last = day_of_month(min(until, last_day(month)))
    return (2 << last) - (1 << first)


def days_in(month: int, bits: int) -> Iterator[int]:
    """The days whose bits are set."""
    before = first_day(month) - 1
    return (before + number for number in range(1, 32) if bits >> number & 1)
