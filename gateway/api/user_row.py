"""Counters as the cells of a table, and a user's as a whole row."""

from typing import Any

import msgspec

from gateway.calendar import iso_moment
from gateway.ledger.counts import COUNTERS, Counts
from gateway.ledger.results import UserRow
from gateway.money import usd

_MONEY = ("cost", "cache_discount", "move_cost")

USER_TOTALS = ("key", "user", "active_days", "first_seen", "last_seen", *COUNTERS)


def counter_cells(counts: Counts) -> dict[str, Any]:
    """Sums of money in USD; the other counters as the store has them."""
    cells = msgspec.structs.asdict(counts)
    return cells | {name: usd(cells[name]) for name in _MONEY}


def user_row(row: UserRow) -> dict[str, Any]:
    """A user of a key, with the counters' cells."""
    return {
        "key": row.tenant,
        "user": row.user,
        "active_days": row.active_days,
        "first_seen": iso_moment(row.first_seen),
        "last_seen": iso_moment(row.last_seen),
        **counter_cells(row.counts),
    }
