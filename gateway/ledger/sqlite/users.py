"""Users over a range of days, put together from whole months and from single days.

The months' orders say who to look at: what a user has of some days is at most what it has of their
months. Whoever comes up is looked up exactly.
"""

import heapq
import sqlite3
from collections.abc import Iterator
from itertools import groupby, islice, starmap

from gateway.ledger.counts import COUNTERS
from gateway.ledger.increments import Sums, sum_of
from gateway.ledger.queries import LeaderboardQuery, UserQuery
from gateway.ledger.results import UserRow
from gateway.ledger.sqlite.activity import active_users
from gateway.ledger.sqlite.counters import COLUMNS, SUMS
from gateway.ledger.sqlite.generations import tenants_known
from gateway.ledger.sqlite.leaderboard import user_row, walk
from gateway.ledger.sqlite.orders import ORDERS
from gateway.ledger.sqlite.presence import EVERY_DAY, bits_of, days_in, first_kept, months_kept
from gateway.ledger.sqlite.where import Where
from gateway.ledger.topn import Place, TenantUser, top

_FAR = 2000
"""Beyond so many users, adding up the whole range is faster than looking each of them up."""

_FEW = 50_000
"""So many users' days are added up in a few hundredths of a second."""

_ADDENDS = {"tokens": ("prompt_tokens", "completion_tokens")}

_OF_MONTH = f"""
    SELECT days, first_seen, last_seen, {COLUMNS} FROM months
    WHERE (month, tenant, user) = (?, ?, ?)
"""
_OF_DAYS = f"""
    SELECT min(first_seen), max(last_seen), {SUMS} FROM activity
    WHERE day IN (SELECT value FROM json_each(?)) AND (tenant, user) = (?, ?)
"""


def users(db: sqlite3.Connection, query: UserQuery) -> list[UserRow]:
    """Highest first; equals by tenant and user, so that pages do not overlap."""
    db.execute("BEGIN")
    with db:
        lookup = Lookup(db, query)
        page = _in_order(db, query)[query.offset :][: query.limit]
        rows = (lookup.row(tenant, user) for _, tenant, user in page)
        return [row for row in rows if row]


def named_after(
    db: sqlite3.Connection, since: int, until: int, after: TenantUser | None, most: int
) -> list[UserRow]:
    """The first `most` users by tenant and name, after one of them, with a request on a day from
    `since` to `until`, both inclusive."""
    db.execute("BEGIN")
    with db:
        lookup = Lookup(db, UserQuery(since=since, until=until))
        months = [_names(db, month, bits, after) for month, bits in lookup.bits.items()]
        people = islice((person for person, _ in groupby(heapq.merge(*months))), most)
        return [row for row in starmap(lookup.row, people) if row]


def _names(
    db: sqlite3.Connection, month: int, bits: int, after: TenantUser | None
) -> Iterator[TenantUser]:
    where = Where().compare("month", "=", month).require("days & ? <> 0", bits)
    if after is not None:
        where.require("(tenant, user) > (?, ?)", *after)
    return db.execute(
        f"SELECT tenant, user FROM months {where} ORDER BY tenant, user", where.values
    )


def _in_order(db: sqlite3.Connection, query: UserQuery) -> list[Place]:
    """As many of the first as the page needs."""
    if query.user is not None:
        return _named(db, query, query.user)
    if query.offset + query.limit > _FAR or _is_short(db, query):
        return added_up(db, query)
    return looked_up(db, query)


def _named(db: sqlite3.Connection, query: UserQuery, user: str) -> list[Place]:
    lookup = Lookup(db, query)
    values = {tenant: lookup.value(tenant, user) for tenant in tenants_known(db, query.tenants)}
    return sorted((-value, tenant, user) for tenant, value in values.items() if value is not None)


def _is_short(db: sqlite3.Connection, query: UserQuery) -> bool:
    days = active_users(db, query.since, query.until, query.tenants)
    return sum(days.values()) <= _FEW


def added_up(db: sqlite3.Connection, query: UserQuery) -> list[Place]:
    """Out of all rows of the range."""
    where = Where().between("day", first_kept(db, query.since), query.until)
    where.among("tenant", query.tenants)
    return db.execute(
        f"SELECT -sum({ORDERS[query.order]}), tenant, user FROM activity {where}"
        " GROUP BY tenant, user ORDER BY 1, tenant, user LIMIT ?",
        (*where.values, query.offset + query.limit),
    ).fetchall()


def looked_up(db: sqlite3.Connection, query: UserQuery) -> list[Place]:
    """The same, read from the top of the months."""
    lookup = Lookup(db, query)
    orders = [_walk(db, query, month, bits) for month, bits in lookup.bits.items()]
    return top([orders], lookup.value, query.offset + query.limit)


def _walk(db: sqlite3.Connection, query: UserQuery, month: int, bits: int) -> Iterator[Place]:
    ranking = LeaderboardQuery(month=month, tenants=query.tenants, order=query.order)
    return walk(db, ranking, "tenant, user", bits)


class Lookup:
    """What single users have of the range: months that lie in it with all their days count as they
    are, of the others the days do. `bits`: the range's months, and which of their days."""

    def __init__(self, db: sqlite3.Connection, query: UserQuery) -> None:
        since = first_kept(db, query.since)
        self.bits = {
            month: bits_of(month, since, query.until)
            for month in months_kept(db, since, query.until)
        }
        self._db = db
        addends = _ADDENDS.get(query.order, (query.order,))
        self._columns = [2 + COUNTERS.index(name) for name in addends]

    def value(self, tenant: str, user: str) -> int | None:
        """By what users are ordered; None when there was no request."""
        parts = [part for _, part in self._parts(tenant, user)]
        return sum(part[at] for part in parts for at in self._columns) if parts else None

    def row(self, tenant: str, user: str) -> UserRow | None:
        """The whole of it; None when there was no request."""
        found = [*self._parts(tenant, user)]
        if not found:
            return None
        days, parts = zip(*found, strict=True)
        first, last = min(part[0] for part in parts), max(part[1] for part in parts)
        return user_row(tenant, user, sum(days), first, last, *sum_of([part[2:] for part in parts]))

    def _parts(self, tenant: str, user: str) -> Iterator[tuple[int, Sums]]:
        """Active days, and what they add up to: first and last moment, counters."""
        for month, meant in self.bits.items():
            row = self._db.execute(_OF_MONTH, (month, tenant, user)).fetchone()
            if row and (days := row[0] & meant):
                is_whole = meant == EVERY_DAY
                part = row[1:] if is_whole else self._of_days(month, days, tenant, user)
                yield days.bit_count(), part

    def _of_days(self, month: int, bits: int, tenant: str, user: str) -> Sums:
        days = str([*days_in(month, bits)])
        row: Sums = self._db.execute(_OF_DAYS, (days, tenant, user)).fetchone()
        return row
