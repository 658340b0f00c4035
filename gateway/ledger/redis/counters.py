"""What a batch adds to the counters and boards of hours, days and months."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from gateway.calendar import day_of_month, month_of
from gateway.ledger.increments import LARGEST, Sums, sum_of
from gateway.ledger.parcel import Row
from gateway.ledger.redis import batch, keys
from gateway.ledger.redis.key_table import KeyTable
from gateway.ledger.redis.keys import Shard, escaped
from gateway.ledger.tally import Rows, Tally, rows_of

_EXACT: Final = 2**53
"""Up to here a double, which is what numbers are in Lua, has every integer."""

_FEW: Final = _EXACT // LARGEST
"""The sum of so many generations is never above it."""


def totals(table: KeyTable, period: str, tenant: str, rows: Rows) -> batch.Totals:
    """What all users of a tenant add together to an hour or a day."""
    key = table.expiring(table.shard.totals(period, tenant), table.lifetimes.of_period(period))
    return batch.Totals(
        key, [(keys.joined(*row), _exact(sum_of(several))) for row, several in rows.items()]
    )


def day(
    table: KeyTable, tally: Tally, number: int, tenant: str, users: Mapping[str, list[int]]
) -> batch.Day:
    """What each user of a tenant adds to a day, and so to its month."""
    period, month = keys.day(number), keys.month(month_of(number))
    shard, lifetimes = table.shard, table.lifetimes
    end, end_of_month = lifetimes.of_period(period), lifetimes.of_period(month)
    rows = _RowNames()
    return batch.Day(
        date=day_of_month(number),
        row_numbers=table.expiring(shard.rows(period, tenant), end),
        boards=table.boards(period, tenant, keys.DAY_ORDERS),
        month_boards=table.boards(month, tenant, keys.MONTH_ORDERS),
        spread=table.expiring(shard.spread(month, tenant), end_of_month),
        user_keys=table.append(_user_keys(shard, period, month, tenant, users)),
        expire_at=(str(end), str(end_of_month), str(lifetimes.of_generations)),
        users=list(users),
        updates=_updates(tally, users.values(), rows),
        rows=rows.names,
    )


def _user_keys(
    shard: Shard, period: str, month: str, tenant: str, users: Iterable[str]
) -> list[str]:
    """Three for each user: the hash of the day, that of the month, and the list of generations."""
    own, own_month = shard.users(period, tenant), shard.users(month, tenant)
    newest = shard.newest_of_users(tenant)
    found: list[str] = []
    for user in users:
        name = escaped(user)
        found += (own + name, own_month + name, newest + name)
    return found


class _RowNames:
    """The names of the rows that occur on a day, each once."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._indexes: dict[Row, int] = {}

    def index_of(self, row: Row) -> int:
        """From 1."""
        index = self._indexes.get(row)
        if index is None:
            self.names.append(keys.joined(*row))
            index = self._indexes[row] = len(self.names)
        return index


def _updates(tally: Tally, users: Iterable[list[int]], names: _RowNames) -> list[int | str]:
    """See batch.Day. Most users have one generation in a batch."""
    updates: list[int | str] = []
    for indexes in users:
        if len(indexes) == 1:
            one = tally.parcels[indexes[0] - 1]
            updates.append(1)
            updates.append(names.index_of(one.series.row))
            updates += one.increments
        else:
            _add_rows(updates, rows_of(tally.of(indexes)), names)
        updates.append(len(indexes))
        updates += indexes
    return updates


def _add_rows(updates: list[int | str], rows: Rows, names: _RowNames) -> None:
    updates.append(len(rows))
    for row, several in rows.items():
        updates.append(names.index_of(row))
        updates += _exact_sum(several)


def _exact_sum(several: Sequence[Sums]) -> Sequence[int | str]:
    sums = sum_of(several)
    return sums if len(several) <= _FEW else _exact(sums)


def _exact(sums: Sums) -> Sequence[int | str]:
    """As text what a double may not hold exactly."""
    return [number if -_EXACT <= number <= _EXACT else str(number) for number in sums]
