"""What a batch adds to the counters and boards of hours, days and months."""

from collections.abc import Mapping
from typing import Final

from gateway.calendar import day_of_month, month_of
from gateway.ledger.adds import total
from gateway.ledger.redis import batch, keys
from gateway.ledger.redis.keys import escaped
from gateway.ledger.redis.numbering import Numbers
from gateway.ledger.tally import Rows, UserDay

_LARGEST: Final = 2**53


def totals(numbers: Numbers, period: str, tenant: str, rows: Rows) -> batch.Totals:
    """What all users of a tenant have added together to an hour or a day."""
    key = numbers.expiring(numbers.names.totals(period, tenant), numbers.ends.of_period(period))
    return batch.Totals(key, _rows(rows))


def day(numbers: Numbers, number: int, tenant: str, users: Mapping[str, UserDay]) -> batch.Day:
    """What each user of a tenant has added to a day, and so to its month."""
    period, month = keys.day(number), keys.month(month_of(number))
    names, end = numbers.names, numbers.ends.of_period(period)
    end_of_month = numbers.ends.of_period(month)
    own, own_month = names.users(period, tenant), names.users(month, tenant)
    return batch.Day(
        date=day_of_month(number),
        rows=numbers.expiring(names.rows(period, tenant), end),
        boards=numbers.boards(period, tenant, keys.DAY_ORDERS),
        month_boards=numbers.boards(month, tenant, keys.MONTH_ORDERS),
        spread=numbers.expiring(names.spread(month, tenant), end_of_month),
        users=[
            batch.User(
                user,
                numbers.expiring(own + escaped(user), end),
                numbers.expiring(own_month + escaped(user), end_of_month),
                _told(one.first),
                _told(one.last),
                _rows(one.rows),
            )
            for user, one in users.items()
        ],
    )


def _rows(rows: Rows) -> list[batch.Row]:
    return [
        [keys.joined(*row), *[_told(number) for number in total(several)]]
        for row, several in rows.items()
    ]


def _told(number: int) -> int | str:
    """As text when it is too large for a double, which is what numbers are in Lua."""
    return number if -_LARGEST <= number <= _LARGEST else str(number)
