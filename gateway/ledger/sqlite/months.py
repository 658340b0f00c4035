"""Counting users by calendar month, as records are applied."""

import sqlite3
from collections import Counter
from secrets import randbelow

from gateway.calendar import day_of_month, month_of
from gateway.ledger.counts import COUNTERS
from gateway.ledger.increments import Sums, sum_of
from gateway.ledger.parcel import Parcel
from gateway.ledger.spread import bar_of
from gateway.ledger.sqlite.counters import insert
from gateway.ledger.sqlite.presence import days_in
from gateway.ledger.tally import Tally

_HOT = 16_000
"""As many busy users are sorted in a hundredth of a second, whenever someone looks at an order."""

_COUNTED = 4_000
"""One in so many users who become busy has the busy ones counted, which takes some milliseconds."""

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


class UserMonth:
    """What is added to one end user's month: a bit for each day, moments, counters."""

    def __init__(self, moment: int) -> None:
        self.days = 0
        self.first = moment
        self.last = moment
        self.several: list[Sums] = []

    def add(self, bit: int, parcels: list[Parcel]) -> None:
        """Those of one of its days."""
        self.days |= bit
        for one in parcels:
            self.first = min(self.first, one.created_at)
            self.last = max(self.last, one.created_at)
            self.several.append(one.increments)


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


def add_to_months(db: sqlite3.Connection, tally: Tally) -> None:
    """Count what was not counted before; within the caller's transaction."""
    shifts = Shifts()
    heated = sum([_add(db, key, month, shifts) for key, month in _months(tally).items()])
    shifts.write(db)
    if randbelow(_COUNTED) < heated:
        _cool(db)


def _months(tally: Tally) -> dict[Key, UserMonth]:
    months: dict[Key, UserMonth] = {}
    for (day, tenant), users in tally.days.items():
        number, bit = month_of(day), 1 << day_of_month(day)
        for user, indexes in users.items():
            key, parcels = (number, tenant, user), tally.of(indexes)
            month = months.get(key)
            if month is None:
                month = months[key] = UserMonth(parcels[0].created_at)
            month.add(bit, parcels)
    return months


def _cool(db: sqlite3.Connection) -> None:
    """Once too many are hot, put all back into the indexes."""
    (hot,) = db.execute("SELECT count(*) FROM months WHERE hot = 1").fetchone()
    if hot > _HOT:
        db.execute("UPDATE months SET hot = 0 WHERE hot = 1")


def _add(db: sqlite3.Connection, key: Key, month: UserMonth, shifts: Shifts) -> bool:
    """Whether the user is hot only from now on."""
    before = db.execute(_FIND, key).fetchone()
    requests, cost, known, hot = before or (0, 0, 0, 0)
    days: int = known | month.days
    sums = sum_of(month.several)
    values = (days, days.bit_count(), month.first, month.last, *sums, *key)
    if before:
        db.execute(_ADD if hot else _HEAT, values)
        shifts.leave(key, requests, cost)
    else:
        db.execute(_BEGIN, (*values, 1))
    shifts.enter(key, requests + sums[_REQUESTS], cost + sums[_COST])
    shifts.appear(key, days & ~known)
    return not hot
