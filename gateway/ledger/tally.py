"""What some generations add up to: by hour, by day, and by each end user's day."""

from collections.abc import Iterable

from gateway.calendar import HOUR
from gateway.generation import Generation
from gateway.ledger.adds import Sums, adds_of, total

Row = tuple[str, str, str]
"""Model, provider and route; empty for none."""

Part = tuple[int, str]
"""The number of an hour or a day, and a tenant."""

Rows = dict[Row, list[Sums]]
"""What is added to each row, by and by."""


class Group:
    """Generations of one hour, tenant, model, provider and route."""

    def __init__(self, hour: int, tenant: str, row: Row) -> None:
        self.hour = hour
        self.tenant = tenant
        self.row = row
        self.generations: list[Generation] = []


class UserDay:
    """What is added to one end user's day; moments in microseconds. `places`: where its generations
    stand among all that are counted, from 1."""

    def __init__(self, moment: int) -> None:
        self.first = moment
        self.last = moment
        self.places: list[int] = []
        self.rows: Rows = {}


class Tally:
    """Rows of hours, without routes; rows of days; and days of users by their ids, empty for calls
    without one."""

    def __init__(self) -> None:
        self.counted = 0
        self.hours: dict[Part, Rows] = {}
        self.totals: dict[Part, Rows] = {}
        self.days: dict[Part, dict[str, UserDay]] = {}

    def count(self, group: Group) -> None:
        """Add some."""
        model, provider, _ = row = group.row
        day = (group.hour // 24, group.tenant)
        adds = self._count_users(self.days.setdefault(day, {}), row, group.generations)
        hour = (group.hour, group.tenant)
        _include(self.hours.setdefault(hour, {}), (model, provider, ""), adds)
        _include(self.totals.setdefault(day, {}), row, adds)

    def _count_users(
        self, users: dict[str, UserDay], row: Row, generations: list[Generation]
    ) -> Sums:
        """What the generations of a group add to the days of their users, and all together."""
        several: list[Sums] = []
        for place, one in enumerate(generations, self.counted + 1):
            adds, day = adds_of(one), _on_day(users, one)
            several.append(adds)
            day.places.append(place)
            _include(day.rows, row, adds)
        self.counted += len(generations)
        return total(several)


def grouped(generations: Iterable[Generation]) -> list[Group]:
    """What is looked up and added up for a whole group is not for each of its generations."""
    groups: dict[tuple[int, str, str | None, str | None, str | None], Group] = {}
    for one in generations:
        hour, tenant = one.created_at // HOUR, one.tenant
        model, provider, route = one.model, one.provider, one.route
        key = (hour, tenant, model, provider, route)
        group = groups.get(key)
        if group is None:
            row = (model or "", provider or "", route or "")
            group = groups[key] = Group(hour, tenant, row)
        group.generations.append(one)
    return list(groups.values())


def tallied(groups: Iterable[Group]) -> Tally:
    """The tally of some."""
    tally = Tally()
    for group in groups:
        tally.count(group)
    return tally


def _on_day(users: dict[str, UserDay], one: Generation) -> UserDay:
    user, moment = one.user or "", one.created_at
    day = users.get(user)
    if day is None:
        day = users[user] = UserDay(moment)
    elif moment < day.first:
        day.first = moment
    elif moment > day.last:
        day.last = moment
    return day


def _include(rows: Rows, row: Row, adds: Sums) -> None:
    have = rows.get(row)
    if have is None:
        rows[row] = [adds]
    else:
        have.append(adds)
