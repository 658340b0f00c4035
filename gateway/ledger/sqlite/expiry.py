"""Expiring what is past its retention, a few rows a transaction."""

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from gateway.calendar import DAY, HOUR, first_day, month_of


class Old(NamedTuple):
    """Rows of a table whose `age` is below `before`; `key` is what tells its rows apart."""

    table: str
    key: str
    age: str
    before: int


def old_rows(generations_before: int, activity_before: int) -> Iterator[Old]:
    """All that is past its retention."""
    yield Old("generations", "id", "created_at", generations_before)
    yield Old("hours", "hour, tenant, model, provider", "hour", generations_before // HOUR)
    month = month_of(max(0, activity_before))
    # A month is kept whole, and its tenants are known by their lists.
    list_before = min(generations_before // DAY, first_day(month))
    yield Old("lists", "tenant, model, provider", "day", list_before)
    for table, key in _BY_DAY.items():
        yield Old(table, key, "day", activity_before)
    yield Old("months", "month, tenant, user", "month", month)
    yield Old("spreads", "month, tenant, measure, bar", "month", month)


_BY_DAY = {
    "activity": "day, tenant, user, model, provider, route",
    "totals": "day, tenant, model, provider, route",
    "active_users": "day, tenant",
    "erased": "day, kind",
}


def begin(db: sqlite3.Connection, generations_before: int, activity_before: int) -> None:
    """Note which days are about to be incomplete; delete writers that counted on no later day.

    Noted first, so that after a crash midway `verify` does not compare days that lost generations.
    """
    complete_from = max(-(-generations_before // DAY), activity_before)
    kept_from = min(generations_before // DAY, activity_before)
    db.execute("BEGIN IMMEDIATE")
    with db:
        db.execute(
            "UPDATE retention SET complete_from = max(complete_from, ?),"
            " activity_from = max(activity_from, ?), kept_from = max(kept_from, ?)",
            (complete_from, activity_before, kept_from),
        )
        db.execute("DELETE FROM writers WHERE day < (SELECT kept_from FROM retention)")


def expire_some(db: sqlite3.Connection, old: Old, most: int) -> int:
    """Delete at most `most`, so that records can be applied in between; returns how many."""
    return db.execute(
        f"DELETE FROM {old.table} WHERE ({old.key}) IN"
        f" (SELECT {old.key} FROM {old.table} WHERE {old.age} < ? ORDER BY {old.age} LIMIT ?)",
        (old.before, most),
    ).rowcount
