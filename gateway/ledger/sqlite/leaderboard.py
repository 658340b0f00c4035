"""Users of a calendar month in any order, read by index.

The busy ones, whose rows are `hot`, are in no index: they are sorted and merged with the others.
"""

import heapq
import sqlite3
from collections.abc import Iterator
from itertools import islice
from operator import itemgetter
from typing import Any

from gateway.calls.enduser import MAX_USER_ID
from gateway.ledger.queries import LeaderboardQuery
from gateway.ledger.results import UserRow
from gateway.ledger.sqlite.counters import COLUMNS, counts_of
from gateway.ledger.sqlite.generations import tenants_known
from gateway.ledger.sqlite.orders import ORDERS
from gateway.ledger.sqlite.presence import EVERY_DAY
from gateway.ledger.sqlite.where import Where

_ROW = f"tenant, user, active_days, first_seen, last_seen, {COLUMNS}"
_COMMON = 10_000
_LAST = "\U0010ffff" * (MAX_USER_ID + 1)


def leaderboard(db: sqlite3.Connection, query: LeaderboardQuery) -> list[UserRow]:
    """A cursor of each tenant walks the index of the order; merged, they give the page.

    All from one snapshot: users go from `hot` to the others, and back.
    """
    db.execute("BEGIN")
    with db:
        in_order = walk(db, query, _ROW)
        page = islice(in_order, query.offset, query.offset + query.limit)
        return [user_row(*row[1:]) for row in page]


def walk(
    db: sqlite3.Connection, query: LeaderboardQuery, columns: str, bits: int = EVERY_DAY
) -> Iterator[tuple[Any, ...]]:
    """Users of the month in order, as they are read: minus the value, or the id, then `columns`, of
    which the first two are tenant and user; only those with a request on one of the days of
    `bits`."""
    cursors = [
        _cursor(db, query, tenant, hot, columns, bits)
        for tenant in tenants_known(db, query.tenants)
        for hot in (0, 1)
    ]
    return heapq.merge(*cursors, key=itemgetter(0, 1, 2), reverse=query.ascending)


def _cursor(
    db: sqlite3.Connection, query: LeaderboardQuery, tenant: str, hot: int, columns: str, bits: int
) -> Iterator[tuple[Any, ...]]:
    # The conditions of partial indexes must be literal (sqlite.org/partialindex.html).
    where = Where().compare("month", "=", query.month).compare("tenant", "=", tenant)
    if query.order != "user":
        where.require(f"hot = {hot}")
    elif hot:
        return iter(())
    if bits != EVERY_DAY:
        where.require("days & ? <> 0", bits)
    if query.prefix:
        # The plus makes SQLite walk the index of the order, not that of the ids.
        plus = "+" if query.order != "user" and _is_common(db, query, tenant) else ""
        _begin_with(where, plus, query.prefix)
    value = ORDERS[query.order]
    rank = "user" if query.order == "user" else f"-{value}"
    # Naming the values, not the negated ones, is what lets SQLite walk the index.
    ways = ("", "DESC") if query.ascending else ("DESC", "")
    order = f"user {ways[1]}" if query.order == "user" else f"{value} {ways[0]}, user {ways[1]}"
    # Left to itself, SQLite would rather read the tenant's month from end to end.
    source = "months INDEXED BY months_hot" if hot else "months"
    return db.execute(
        f"SELECT {rank}, {columns} FROM {source} {where} ORDER BY {order}", where.values
    )


def _is_common(db: sqlite3.Connection, query: LeaderboardQuery, tenant: str) -> bool:
    """Whether so many ids begin with the prefix that sorting them would take longer than meeting
    enough of them on the way through all."""
    where = Where().compare("month", "=", query.month).compare("tenant", "=", tenant)
    _begin_with(where, "", query.prefix)
    (found,) = db.execute(
        f"SELECT count(*) FROM (SELECT 1 FROM months {where} LIMIT {_COMMON})", where.values
    ).fetchone()
    return bool(found == _COMMON)


def _begin_with(where: Where, plus: str, prefix: str) -> None:
    """In SQLite's order of code points; no id is longer than the last one there could be."""
    where.compare(f"{plus}user", ">=", prefix)
    where.compare(f"{plus}user", "<", prefix + _LAST)


def user_row(
    tenant: str, user: str, days: int, first_seen: int, last_seen: int, *numbers: int
) -> UserRow:
    """The record of a row of months, or of what is put together like one."""
    return UserRow(
        tenant=tenant,
        user=user or None,
        counts=counts_of(numbers),
        active_days=days,
        first_seen=first_seen,
        last_seen=last_seen,
    )
