"""What some generations add up to: by hour, by day, and by each end user's day."""

from collections.abc import Iterable

from gateway.calendar import HOUR
from gateway.ledger.adds import Sums, total
from gateway.ledger.parcel import Parcel, Row, Series

Part = tuple[int, str]
"""The number of an hour or a day, and a tenant."""

Rows = dict[Row, list[Sums]]
"""What is added to each row, by and by."""


class Group:
    """Packer of one hour and series."""

    def __init__(self, hour: int, series: Series) -> None:
        self.hour = hour
        self.tenant = series.tenant
        self.row = series.row
        self.parcels: list[Parcel] = []


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
        adds = self._count_users(self.days.setdefault(day, {}), row, group.parcels)
        hour = (group.hour, group.tenant)
        _include(self.hours.setdefault(hour, {}), (model, provider, ""), adds)
        _include(self.totals.setdefault(day, {}), row, adds)

    def _count_users(self, users: dict[str, UserDay], row: Row, parcels: list[Parcel]) -> Sums:
        """What the parcels of a group add to the days of their users, and all together."""
        for place, one in enumerate(parcels, self.counted + 1):
            day = _on_day(users, one)
            day.places.append(place)
            _include(day.rows, row, one.adds)
        self.counted += len(parcels)
        return total([one.adds for one in parcels])


def grouped(parcels: Iterable[Parcel]) -> list[Group]:
    """What is looked up and added up for a whole group is not for each of its parcels."""
    groups: dict[tuple[int, Series], Group] = {}
    for one in parcels:
        hour, series = one.created_at // HOUR, one.series
        group = groups.get((hour, series))
        if group is None:
            group = groups[hour, series] = Group(hour, series)
        group.parcels.append(one)
    return list(groups.values())


def tallied(groups: Iterable[Group]) -> Tally:
    """The tally of some."""
    tally = Tally()
    for group in groups:
        tally.count(group)
    return tally


def _on_day(users: dict[str, UserDay], one: Parcel) -> UserDay:
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
