"""What some generations add to each end user's days, and to each hour."""

from collections.abc import Iterable
from operator import add

import msgspec

from gateway.calendar import HOUR
from gateway.generation import Generation
from gateway.ledger.store import Counts

Sums = tuple[int, ...]
"""One number for each of COUNTERS, in their order."""

Row = tuple[str, str, str]
"""Model, provider and route; empty for none."""

Rows = dict[Row, Sums]

Part = tuple[int, str]
"""The number of an hour or a day, and a tenant."""


class UserDay:
    """What is added to one end user's day; moments in microseconds."""

    def __init__(self, day: int, moment: int) -> None:
        self.day = day
        self.first = self.last = moment
        self.rows: Rows = {}


class Tally:
    """Rows of hours, and days of users by their ids, empty for calls without one."""

    def __init__(self) -> None:
        self.hours: dict[Part, Rows] = {}
        self.days: dict[Part, dict[str, UserDay]] = {}

    def count(self, one: Generation) -> None:
        """Add one."""
        counts: Sums = msgspec.structs.astuple(Counts.of(one))
        model, provider, moment = one.model or "", one.provider or "", one.created_at
        hour = self.hours.setdefault((moment // HOUR, one.tenant), {})
        _include(hour, (model, provider, ""), counts)
        users = self.days.setdefault((one.day, one.tenant), {})
        day = users.get(one.user or "")
        if day is None:
            day = users[one.user or ""] = UserDay(one.day, moment)
        day.first = min(day.first, moment)
        day.last = max(day.last, moment)
        _include(day.rows, (model, provider, one.route or ""), counts)


def tallied(generations: Iterable[Generation]) -> Tally:
    """The tally of some."""
    tally = Tally()
    for one in generations:
        tally.count(one)
    return tally


def rows_of(days: Iterable[UserDay]) -> Rows:
    """The rows of all of them together."""
    rows: Rows = {}
    for day in days:
        for row, sums in day.rows.items():
            _include(rows, row, sums)
    return rows


def _include(rows: Rows, row: Row, counts: Sums) -> None:
    have = rows.get(row)
    rows[row] = counts if have is None else tuple(map(add, have, counts))
