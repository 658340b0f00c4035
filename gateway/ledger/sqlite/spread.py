"""How a month's users are spread, out of counts of users that are kept beside the months."""

import sqlite3

from gateway.ledger.spread import Bar, Spread
from gateway.ledger.sqlite.where import Where


def spread(db: sqlite3.Connection, month: int, tenants: frozenset[str] | None) -> Spread:
    """See Store."""
    where = Where().compare("month", "=", month).among("tenant", tenants)
    bars: dict[str, list[Bar]] = {"requests": [], "cost": []}
    for measure, bar, users in db.execute(
        f"SELECT measure, bar, sum(users) FROM spreads {where} GROUP BY measure, bar"
        " HAVING sum(users) > 0 ORDER BY bar",
        where.values,
    ):
        bars[measure].append(Bar.of(bar, users))
    return Spread(requests=tuple(bars["requests"]), cost=tuple(bars["cost"]))
