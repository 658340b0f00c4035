"""A user's counters as a flat row, for tables."""

from typing import Any

import msgspec

from gateway.calendar import iso_moment
from gateway.ledger.counts import COUNTERS
from gateway.ledger.results import UserRow
from gateway.money import usd

_MONEY = ("cost", "cache_discount", "move_cost")

USER_TOTALS = ("key", "user", "active_days", "first_seen", "last_seen", *COUNTERS)


def user_row(row: UserRow) -> dict[str, Any]:
    """Sums of money in USD; the other counters as the store has them."""
    counts = msgspec.structs.asdict(row.counts)
    money = {name: usd(counts[name]) for name in _MONEY}
    return {
        "key": row.tenant,
        "user": row.user,
        "active_days": row.active_days,
        "first_seen": iso_moment(row.first_seen),
        "last_seen": iso_moment(row.last_seen),
        **counts,
        **money,
    }
