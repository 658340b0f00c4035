"""What is kept by day and by hour."""

import sqlite3
from typing import Any

import msgspec

from gateway.ledger.queries import ActivityQuery
from gateway.ledger.results import ActivityRow, HourRow
from gateway.ledger.sqlite.counters import COLUMNS, SUMS, counts_of
from gateway.ledger.sqlite.generations import tenants_known
from gateway.ledger.sqlite.presence import days_of, first_kept
from gateway.ledger.sqlite.where import Where

_DAYS_OF_USERS = """
    (VALUES {rows}) AS person CROSS JOIN json_each(person.column2) AS own
    CROSS JOIN activity ON activity.day = json_extract(own.value, '$[0]')
    AND activity.tenant = json_extract(own.value, '$[1]') AND activity.user = person.column1
"""


def activity(db: sqlite3.Connection, query: ActivityQuery) -> list[ActivityRow]:
    """Rows by user come from their own table, the others from the one without users."""
    query = msgspec.structs.replace(query, since=first_kept(db, query.since))
    key = ["day", "model", "provider"]
    key += ["user", "tenant"] if query.names_users else ["tenant"] * ("tenant" in query.by)
    key += ["route"] * ("route" in query.by)
    source, values = _source(db, query)
    columns = ", ".join(key)
    rows = db.execute(
        f"SELECT {columns}, {SUMS} FROM {source} GROUP BY {columns}"
        f" ORDER BY {', '.join(('day DESC', *key[1:]))}",
        values,
    )
    return [_row(key, row) for row in rows]


def _source(db: sqlite3.Connection, query: ActivityQuery) -> tuple[str, list[object]]:
    if query.users is not None:
        return _of_users(db, query, query.users)
    where = Where().between("day", query.since, query.until).among("tenant", query.tenants)
    return f"{'activity' if 'user' in query.by else 'totals'} {where}", where.values


def _of_users(
    db: sqlite3.Connection, query: ActivityQuery, users: frozenset[str]
) -> tuple[str, list[object]]:
    """Each user with the days it was there; an id is not put into JSON, which ends at a NUL."""
    if not users:
        return "activity WHERE 0", []
    tenants = tenants_known(db, query.tenants)
    values: list[object] = []
    for user in users:
        days = [
            (day, tenant)
            for tenant in tenants
            for day in days_of(db, tenant, user, query.since, query.until)
        ]
        values += user, msgspec.json.encode(days).decode()
    return _DAYS_OF_USERS.format(rows=", ".join(["(?, ?)"] * len(users))), values


def _row(key: list[str], row: tuple[Any, ...]) -> ActivityRow:
    named: dict[str, Any] = {
        name: part or None for name, part in zip(key[1:], row[1:], strict=False)
    }
    return ActivityRow(day=row[0], counts=counts_of(row[len(key) :]), **named)


def hours(
    db: sqlite3.Connection, since: int, until: int, tenants: frozenset[str] | None
) -> list[HourRow]:
    """Newest first."""
    where = Where().between("hour", since, until).among("tenant", tenants)
    rows = db.execute(
        f"SELECT hour, tenant, model, provider, {COLUMNS} FROM hours {where}"
        " ORDER BY hour DESC, tenant, model, provider",
        where.values,
    )
    return [
        HourRow(
            hour=hour,
            tenant=tenant,
            model=model or None,
            provider=provider or None,
            counts=counts_of(numbers),
        )
        for hour, tenant, model, provider, *numbers in rows
    ]


def active_users(
    db: sqlite3.Connection, since: int, until: int, tenants: frozenset[str] | None
) -> dict[int, int]:
    """Out of the numbers that are kept of each tenant."""
    where = Where().between("day", first_kept(db, since), until).among("tenant", tenants)
    return dict(
        db.execute(
            f"SELECT day, sum(users) FROM active_users {where} GROUP BY day HAVING sum(users) > 0",
            where.values,
        )
    )
