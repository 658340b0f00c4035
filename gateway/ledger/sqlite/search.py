"""Searching the users of a range of days in SQL: of a million, only those of the page are read in
full."""

import sqlite3
from collections.abc import Collection, Iterator, Sequence

import msgspec

from gateway.calendar import first_day, last_day, month_of
from gateway.ledger.conditions import Measure
from gateway.ledger.counts import COUNTERS
from gateway.ledger.memory_search import merged
from gateway.ledger.queries import SearchPage, UserQuery, UserSearch
from gateway.ledger.results import Distribution, FoundUsers, UserRow
from gateway.ledger.sqlite.conditions import Sql, columns_of, condition_sql, measure_sql
from gateway.ledger.sqlite.counters import insert
from gateway.ledger.sqlite.generations import tenants_known
from gateway.ledger.sqlite.presence import EVERY_DAY, bits_of, first_kept, months_kept
from gateway.ledger.sqlite.users import Lookup
from gateway.ledger.sqlite.where import Where

_SUMS = {
    "active_days": "sum(active_days)",
    "first_seen": "min(first_seen)",
    "last_seen": "max(last_seen)",
}


def search_users(db: sqlite3.Connection, query: UserSearch, page: SearchPage) -> FoundUsers:
    """See Store."""
    db.execute("BEGIN")
    with db:
        names, count = _names(db, query, page)
        return FoundUsers(_rows(db, query, names), count)


def _names(
    db: sqlite3.Connection, query: UserSearch, page: SearchPage
) -> tuple[list[tuple[str, str]], int]:
    """Who is on the page, and how many are found, which even an empty page has a row for."""
    people, value = _people(db, query, {page.order}), measure_sql(page.order)
    order = f"{value} {'ASC' if page.ascending else 'DESC'}, tenant, user"
    rows = db.execute(
        f"WITH people AS MATERIALIZED ({people.text})"
        " SELECT everyone.count, page.tenant, page.user"
        " FROM (SELECT count(*) AS count FROM people) AS everyone"
        f" LEFT JOIN (SELECT * FROM people ORDER BY {order} LIMIT ? OFFSET ?) AS page"
        f" ORDER BY {order}",
        (*people.values, page.limit, page.offset),
    ).fetchall()
    return [(tenant, user) for _, tenant, user in rows if tenant is not None], rows[0][0]


def _rows(
    db: sqlite3.Connection, query: UserSearch, names: Sequence[tuple[str, str]]
) -> list[UserRow]:
    """In the order of `names`."""
    lookup = Lookup(db, UserQuery(since=query.since, until=_filled(db, query.until)))
    extra = {(row.tenant, row.user or ""): row for row in query.extra}
    parts = [part for name in names for part in (lookup.row(*name), extra.get(name)) if part]
    return merged(parts)


def distribution(db: sqlite3.Connection, query: UserSearch) -> Distribution:
    """See Store. Read as two JSON texts, as each of a million rows would take the GIL."""
    db.execute("BEGIN")
    with db:
        people = _people(db, query, {"requests", "usd"})
        requests, cost = db.execute(
            f"WITH people AS MATERIALIZED ({people.text}) SELECT"
            " (SELECT json_group_array(requests) FROM (SELECT requests FROM people ORDER BY 1)),"
            " (SELECT json_group_array(cost) FROM (SELECT cost FROM people ORDER BY 1))",
            people.values,
        ).fetchone()
    return Distribution(requests=_numbers(requests), cost=_numbers(cost))


def _numbers(text: str) -> list[int]:
    """An aggregate promises no order; sorting what is in order already costs next to nothing."""
    numbers = msgspec.json.decode(text, type=list[int])
    numbers.sort()
    return numbers


def _people(db: sqlite3.Connection, query: UserSearch, measures: Collection[Measure]) -> Sql:
    """Each user found once, with only the columns the measures need: narrow rows sort faster."""
    columns = columns_of(measures, query.condition)
    sources = [*_sources(db, query, columns), _extra_rows(db, query.extra, columns)]
    condition = condition_sql(query.condition)
    return Sql(
        f"SELECT * FROM (SELECT {_summed(columns)}"
        f" FROM ({' UNION ALL '.join(source.text for source in sources)})"
        f" GROUP BY tenant, user) WHERE {condition.text}",
        [*(value for source in sources for value in source.values), *condition.values],
    )


def _summed(columns: Sequence[str], **special: str) -> str:
    sums = _SUMS | special
    totals = (f"{sums.get(column, f'sum({column})')} AS {column}" for column in columns)
    return ", ".join(("tenant", "user", *totals))


def _sources(db: sqlite3.Connection, query: UserSearch, columns: Sequence[str]) -> Iterator[Sql]:
    """Rows of months that lie in the range with all their days, and rows of the other days."""
    since, until = first_kept(db, query.since), _filled(db, query.until)
    months = [m for m in months_kept(db, since, until) if bits_of(m, since, until) == EVERY_DAY]
    if not months:
        yield _of_days(db, query, columns, since, until)
        return
    where = _who(db, query).between("month", months[0], months[-1])
    names = ", ".join(("tenant", "user", *columns))
    yield Sql(f"SELECT {names} FROM months {where}", where.values)
    yield _of_days(db, query, columns, since, first_day(months[0]) - 1)
    yield _of_days(db, query, columns, last_day(months[-1]) + 1, until)


def _filled(db: sqlite3.Connection, until: int) -> int:
    """`until`, or the end of its month where no later day has rows: that month counts as whole."""
    (last,) = db.execute("SELECT max(day) FROM active_users").fetchone()
    return until if last is None or until < last else last_day(month_of(last))


def _of_days(
    db: sqlite3.Connection, query: UserSearch, columns: Sequence[str], since: int, until: int
) -> Sql:
    where = _who(db, query).between("day", since, until)
    summed = _summed(columns, active_days="count(DISTINCT day)")
    return Sql(f"SELECT {summed} FROM activity {where} GROUP BY tenant, user", where.values)


def _who(db: sqlite3.Connection, query: UserSearch) -> Where:
    """Ids are found by index once their tenants are named."""
    if query.users is None:
        return Where().among("tenant", query.tenants)
    return Where().among("tenant", tenants_known(db, query.tenants)).among("user", query.users)


def _extra_rows(db: sqlite3.Connection, rows: Sequence[UserRow], columns: Sequence[str]) -> Sql:
    """In a temporary table: there may be more rows than a statement takes parameters."""
    names = ", ".join(("tenant", "user", *columns))
    db.execute("DROP TABLE IF EXISTS temp.extra")
    db.execute(f"CREATE TEMP TABLE extra ({names})")
    db.executemany(
        insert("temp.extra", ("tenant", "user", *columns)),
        ((row.tenant, row.user or "", *(_value(row, each) for each in columns)) for row in rows),
    )
    return Sql(f"SELECT {names} FROM temp.extra")


def _value(row: UserRow, column: str) -> int:
    value: int = getattr(row.counts if column in COUNTERS else row, column)
    return value
