"""What a batch adds to the counters and boards of hours, days and months."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from gateway.calendar import day_of_month, month_of
from gateway.ledger.adds import LARGEST, Sums, total
from gateway.ledger.parcel import Row
from gateway.ledger.redis import batch, keys
from gateway.ledger.redis.keys import Keys, escaped
from gateway.ledger.redis.numbering import Numbers
from gateway.ledger.tally import Rows, UserDay

_LARGEST: Final = 2**53
_FEW: Final = _LARGEST // LARGEST
"""What so many generations add is never too large."""


def totals(numbers: Numbers, period: str, tenant: str, rows: Rows) -> batch.Totals:
    """What all users of a tenant have added together to an hour or a day."""
    key = numbers.expiring(numbers.names.totals(period, tenant), numbers.ends.of_period(period))
    return batch.Totals(
        key, [(keys.joined(*row), _told(total(several))) for row, several in rows.items()]
    )


def day(numbers: Numbers, number: int, tenant: str, users: Mapping[str, UserDay]) -> batch.Day:
    """What each user of a tenant has added to a day, and so to its month."""
    period, month = keys.day(number), keys.month(month_of(number))
    names, ends = numbers.names, numbers.ends
    end, end_of_month = ends.of_period(period), ends.of_period(month)
    rows = _Places()
    return batch.Day(
        date=day_of_month(number),
        numbers=numbers.expiring(names.rows(period, tenant), end),
        boards=numbers.boards(period, tenant, keys.DAY_ORDERS),
        month_boards=numbers.boards(month, tenant, keys.MONTH_ORDERS),
        spread=numbers.expiring(names.spread(month, tenant), end_of_month),
        keys=numbers.follow(_keys(names, period, month, tenant, users)),
        ends=(end, end_of_month, ends.of_generations),
        users=list(users),
        news=_news(users.values(), rows),
        rows=rows.names,
    )


def _keys(names: Keys, period: str, month: str, tenant: str, users: Iterable[str]) -> list[str]:
    """Three of each user: what is kept of the day, of the month, and the list of generations."""
    own, own_month = names.users(period, tenant), names.users(month, tenant)
    newest = names.newest_of_users(tenant)
    found: list[str] = []
    for user in users:
        name = escaped(user)
        found += (own + name, own_month + name, newest + name)
    return found


class _Places:
    """The rows that users of a day have, by name; each stands at a place, from 1."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._places: dict[Row, int] = {}

    def of(self, row: Row) -> int:
        """Where it stands."""
        place = self._places.get(row)
        if place is None:
            self.names.append(keys.joined(*row))
            place = self._places[row] = len(self.names)
        return place


def _news(days: Iterable[UserDay], rows: _Places) -> list[int | str]:
    """As a batch has them."""
    news: list[int | str] = []
    for day in days:
        news.append(len(day.rows))
        for row, several in day.rows.items():
            news.append(rows.of(row))
            news += _few(several)
        news.append(len(day.places))
        news += day.places
    return news


def _few(several: Sequence[Sums]) -> Sequence[int | str]:
    """What single generations add up to."""
    sums = total(several)
    return sums if len(several) <= _FEW else _told(sums)


def _told(sums: Sums) -> Sequence[int | str]:
    """Numbers as text when too large for a double, which is what they are in Lua."""
    return [number if -_LARGEST <= number <= _LARGEST else str(number) for number in sums]
