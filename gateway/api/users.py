"""A user's counters as a flat row, for tables."""

from typing import Any

import msgspec

from gateway.api.money import usd
from gateway.api.openrouter.generations import iso_moment
from gateway.ledger.store import COUNTERS, UserRow

USER_TOTALS = ("key", "user", "active_days", "first_seen", "last_seen", *COUNTERS)


def user_row(row: UserRow) -> dict[str, Any]:
    """`cost` and `cache_discount` in USD; the other counters as the store has them."""
    counts = msgspec.structs.asdict(row.counts)
    money = {"cost": usd(row.counts.cost), "cache_discount": usd(row.counts.cache_discount)}
    return {
        "key": row.tenant,
        "user": row.user,
        "active_days": row.active_days,
        "first_seen": iso_moment(row.first_seen),
        "last_seen": iso_moment(row.last_seen),
        **counts,
        **money,
    }
