"""What a batch adds to the counters and boards of hours, days and months."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from gateway.calendar import day_of_month, month_of
from gateway.ledger.redis import batch, keys
from gateway.ledger.redis.batch import Numbers
from gateway.ledger.redis.tally import Row, Rows, UserDay


def totals(numbers: Numbers, period: str, tenant: str, rows: Rows) -> batch.Totals:
    """What all users of a tenant have added together to an hour or a day."""
    key = numbers.expiring(numbers.names.totals(period, tenant), numbers.ends.of_period(period))
    return batch.Totals(key, _told(rows))


def day(numbers: Numbers, number: int, tenant: str, users: Mapping[str, UserDay]) -> batch.Day:
    """What each user of a tenant has added to a day, and so to its month."""
    period, month = keys.day(number), keys.month(month_of(number))
    names, end = numbers.names, numbers.ends.of_period(period)
    end_of_month = numbers.ends.of_period(month)
    return batch.Day(
        date=day_of_month(number),
        rows=numbers.expiring(names.rows(period, tenant), end),
        boards=numbers.boards(period, tenant, keys.DAY_ORDERS),
        month_boards=numbers.boards(month, tenant, keys.MONTH_ORDERS),
        spread=numbers.expiring(names.spread(month, tenant), end_of_month),
        users=[
            batch.User(
                name=user,
                day=numbers.expiring(names.user(period, tenant, user), end),
                month=numbers.expiring(names.user(month, tenant, user), end_of_month),
                first=str(one.first),
                last=str(one.last),
                rows=_told(one.rows),
            )
            for user, one in users.items()
        ],
    )


def _told(rows: Rows) -> Sequence[batch.Row]:
    return [[_name(row), *map(str, sums)] for row, sums in rows.items()]


@lru_cache(1024)
def _name(row: Row) -> str:
    return keys.joined(*row)
