"""Counting users by calendar month, as records are applied."""

import sqlite3
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from gateway.calendar import day_of_month, month_of
from gateway.generation import Generation
from gateway.ledger.sqlite.counters import Numbers, insert, total
from gateway.ledger.sqlite.presence import days_in
from gateway.ledger.store import COUNTERS, bar_of

_HOT = 4000
"""As many busy users are sorted in a few milliseconds, whenever someone looks at an order."""

_REQUESTS, _COST = COUNTERS.index("requests"), COUNTERS.index("cost")

_FIND = "SELECT requests, cost, days, hot FROM months WHERE (month, tenant, user) = (?, ?, ?)"
_COLUMNS = ("days", "active_days", "first_seen", "last_seen", *COUNTERS)
_BEGIN = insert("months", (*_COLUMNS, "month", "tenant", "user", "hot"))
_SET = f"""
    days = ?, active_days = ?, first_seen = min(first_seen, ?), last_seen = max(last_seen, ?),
    {", ".join(f"{counter} = {counter} + ?" for counter in COUNTERS)}
"""
_ADD = f"UPDATE months SET {_SET} WHERE (month, tenant, user) = (?, ?, ?)"
# Of its own, since even setting it to the same would rewrite what has a part in an index on it.
_HEAT = f"UPDATE months SET {_SET}, hot = 1 WHERE (month, tenant, user) = (?, ?, ?)"
_MOVE = """
    INSERT INTO spreads (month, tenant, measure, bar, users) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (month, tenant, measure, bar) DO UPDATE SET users = users + excluded.users
"""
_COUNT_ACTIVE = """
    INSERT INTO active_users (day, tenant, users) VALUES (?, ?, ?)
    ON CONFLICT (day, tenant) DO UPDATE SET users = users + excluded.users
"""

Key = tuple[int, str, str]
"""Month, tenant, user."""


class Single(NamedTuple):
    """One generation, with what it adds to each counter."""

    generation: Generation
    adds: Numbers


class Shifts:
    """Users who changed bars and users new on a day, gathered to be written once each."""

    def __init__(self) -> None:
        self._bars: Counter[tuple[int, str, str, int]] = Counter()
        self._days: Counter[tuple[int, str]] = Counter()

    def leave(self, key: Key, requests: int, cost: int) -> None:
        """The user no longer stands where these counts put it."""
        self._stand(key, requests, cost, -1)

    def enter(self, key: Key, requests: int, cost: int) -> None:
        """The user stands there now."""
        self._stand(key, requests, cost, 1)

    def appear(self, key: Key, bits: int) -> None:
        """The user has its first request on these days of the month."""
        month, tenant, _ = key
        for day in days_in(month, bits):
            self._days[day, tenant] += 1

    def write(self, db: sqlite3.Connection) -> None:
        """Within the caller's transaction."""
        db.executemany(_MOVE, ((*bar, users) for bar, users in self._bars.items() if users))
        db.executemany(_COUNT_ACTIVE, ((*day, users) for day, users in self._days.items()))

    def _stand(self, key: Key, requests: int, cost: int, users: int) -> None:
        month, tenant, _ = key
        self._bars[month, tenant, "requests", bar_of(requests)] += users
        self._bars[month, tenant, "cost", bar_of(cost)] += users


def add_to_months(db: sqlite3.Connection, singles: Iterable[Single]) -> None:
    """Count generations that were not counted before; within the caller's transaction."""
    months: dict[Key, list[Single]] = {}
    for single in singles:
        each = single.generation
        key = (month_of(each.day), each.tenant, each.user or "")
        months.setdefault(key, []).append(single)
    shifts = Shifts()
    heated = [_add(db, key, some, shifts) for key, some in months.items()]
    shifts.write(db)
    if any(heated):
        _cool(db)


def _cool(db: sqlite3.Connection) -> None:
    """Once too many are hot, put all back into the indexes."""
    (hot,) = db.execute("SELECT count(*) FROM months WHERE hot = 1").fetchone()
    if hot > _HOT:
        db.execute("UPDATE months SET hot = 0 WHERE hot = 1")


def _add(db: sqlite3.Connection, key: Key, singles: list[Single], shifts: Shifts) -> bool:
    """Whether the user is hot only from now on."""
    before = db.execute(_FIND, key).fetchone()
    requests, cost, known, hot = before or (0, 0, 0, 0)
    days = known
    for day in {single.generation.day for single in singles}:
        days |= 1 << day_of_month(day)
    moments = [single.generation.created_at for single in singles]
    adds = total([single.adds for single in singles])
    values = (days, days.bit_count(), min(moments), max(moments), *adds, *key)
    if before:
        db.execute(_ADD if hot else _HEAT, values)
        shifts.leave(key, requests, cost)
    else:
        db.execute(_BEGIN, (*values, 1))
    shifts.enter(key, requests + adds[_REQUESTS], cost + adds[_COST])
    shifts.appear(key, days & ~known)
    return not hot
