"""What some generations add up to: by hour, by day, and by each end user's day."""

from collections.abc import Iterable, Sequence

from gateway.ledger.increments import Sums, total
from gateway.ledger.parcel import Parcel, Row, Series

PeriodKey = tuple[int, str]
"""The number of an hour or a day, and a tenant."""

Rows = dict[Row, list[Sums]]
"""What is added to each row, by and by."""


class Tally:
    """Rows of hours, without routes; rows of days; and days of users by their ids, empty for calls
    without one: the indexes, from 1, that their generations have among the `parcels`, which stand
    together by their series.
    """

    def __init__(self) -> None:
        self.parcels: list[Parcel] = []
        self.hours: dict[PeriodKey, Rows] = {}
        self.totals: dict[PeriodKey, Rows] = {}
        self.days: dict[PeriodKey, dict[str, list[int]]] = {}

    def count(self, series: Series, parcels: list[Parcel]) -> None:
        """Add some."""
        hour, tenant, row = series.hour, series.tenant, series.row
        day = (hour // 24, tenant)
        _count_users(self.days.setdefault(day, {}), parcels, len(self.parcels))
        self.parcels += parcels
        sums = total([one.increments for one in parcels])
        model, provider, _ = row
        _include(self.hours.setdefault((hour, tenant), {}), (model, provider, ""), sums)
        _include(self.totals.setdefault(day, {}), row, sums)

    def of(self, indexes: Sequence[int]) -> list[Parcel]:
        """The parcels of a user's day."""
        return [self.parcels[index - 1] for index in indexes]


def grouped(parcels: Iterable[Parcel]) -> dict[Series, list[Parcel]]:
    """What is looked up and added up for a whole series is not for each of its parcels."""
    groups: dict[Series, list[Parcel]] = {}
    for one in parcels:
        series = one.series
        group = groups.get(series)
        if group is None:
            groups[series] = [one]
        else:
            group.append(one)
    return groups


def tallied(groups: dict[Series, list[Parcel]]) -> Tally:
    """The tally of some."""
    tally = Tally()
    for series, parcels in groups.items():
        tally.count(series, parcels)
    return tally


def rows_of(parcels: Sequence[Parcel]) -> Rows:
    """What they add to each row of a day."""
    rows: Rows = {}
    for one in parcels:
        _include(rows, one.series.row, one.increments)
    return rows


def _count_users(users: dict[str, list[int]], parcels: list[Parcel], before: int) -> None:
    for index, one in enumerate(parcels, before + 1):
        user = one.user or ""
        indexes = users.get(user)
        if indexes is None:
            users[user] = [index]
        else:
            indexes.append(index)


def _include(rows: Rows, row: Row, increments: Sums) -> None:
    several = rows.get(row)
    if several is None:
        rows[row] = [increments]
    else:
        several.append(increments)
