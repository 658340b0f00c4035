"""What some generations add up to: by hour, by day, and by each end user's day."""

from collections.abc import Iterable, Sequence

from gateway.ledger.increments import Sums, sum_of
from gateway.ledger.parcel import Parcel, Row, Series

PeriodKey = tuple[int, str]
"""The number of an hour or a day, and a tenant."""

Rows = dict[Row, list[Sums]]
"""What is added to each row, by and by."""


class Tally:
    """`hours`: rows without routes. `totals`: rows of days. `days`: which generations each user has
    on a day, as indexes from 1 into `parcels`, which are in order of their series; calls without a
    user are those of the empty one.
    """

    def __init__(self) -> None:
        self.parcels: list[Parcel] = []
        self.hours: dict[PeriodKey, Rows] = {}
        self.totals: dict[PeriodKey, Rows] = {}
        self.days: dict[PeriodKey, dict[str, list[int]]] = {}

    def count(self, series: Series, parcels: list[Parcel]) -> None:
        """Add the parcels of one series."""
        hour, tenant, row = series.hour, series.tenant, series.row
        day = (hour // 24, tenant)
        _count_users(self.days.setdefault(day, {}), parcels, len(self.parcels))
        self.parcels += parcels
        sums = sum_of([one.increments for one in parcels])
        model, provider, _ = row
        _include(self.hours.setdefault((hour, tenant), {}), (model, provider, ""), sums)
        _include(self.totals.setdefault(day, {}), row, sums)

    def of(self, indexes: Sequence[int]) -> list[Parcel]:
        """The parcels of a user's day."""
        return [self.parcels[index - 1] for index in indexes]


def grouped(parcels: Iterable[Parcel]) -> dict[Series, list[Parcel]]:
    """The parcels of each series, so that what they share is looked up and added up once."""
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
    """The tally of parcels that are grouped by series."""
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
