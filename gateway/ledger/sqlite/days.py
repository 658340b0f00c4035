"""What is kept by day and by hour."""

import sqlite3
from typing import Any

import msgspec

from gateway.ledger.sqlite.counters import COLUMNS, SUMS, counts_of
from gateway.ledger.sqlite.lists import tenants_known
from gateway.ledger.sqlite.presence import days_of
from gateway.ledger.sqlite.where import Where
from gateway.ledger.store import ActivityQuery, ActivityRow, HourRow

_DAYS_OF_USER = """
    json_each(?) AS own CROSS JOIN activity ON activity.day = json_extract(own.value, '$[0]')
    AND activity.tenant = json_extract(own.value, '$[1]') AND activity.user = ?
"""


def activity(db: sqlite3.Connection, query: ActivityQuery) -> list[ActivityRow]:
    """Rows by user come from their own table, the others from the one without users."""
    by_user = "user" in query.by or query.user is not None
    key = ["day", "model", "provider"]
    key += ["user", "tenant"] if by_user else ["tenant"] * ("tenant" in query.by)
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
    if query.user is not None:
        days = [
            (day, tenant)
            for tenant in tenants_known(db, query.tenants)
            for day in days_of(db, tenant, query.user, query.since, query.until)
        ]
        return _DAYS_OF_USER, [msgspec.json.encode(days).decode(), query.user]
    where = Where().between("day", query.since, query.until).among("tenant", query.tenants)
    return f"{'activity' if 'user' in query.by else 'totals'} {where}", where.values


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
    where = Where().between("day", since, until).among("tenant", tenants)
    return dict(
        db.execute(f"SELECT day, sum(users) FROM active_users {where} GROUP BY day", where.values)
    )
