"""Leaderboards of a prefix that very many users' names begin with, in Redis."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from gateway.calendar import month_of
from gateway.ledger.queries import LeaderboardOrder, LeaderboardQuery
from gateway.ledger.store import Store
from tests import counting
from tests.generations import DAY, generation, records
from tests.stores import STORES

MONTH = month_of(DAY)
CROWD = [
    *(generation(number, user=f"user_{number:04}", cost=number + 1) for number in range(700)),
    *(generation(number, user=f"z_{number}", cost=0, status=500) for number in range(1000, 1600)),
]
"""Those whose names begin with `user_` stand before the others by cost, after them by errors."""


@pytest.fixture(params=["redis", "cluster"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """One shard, where there are many on a board, or sixteen, where there are few."""
    async with STORES[request.param](tmp_path) as opened:
        for start in range(0, len(CROWD), 500):
            await opened.apply(records(*CROWD[start : start + 500], first=start + 1))
        yield opened


@pytest.mark.parametrize("prefix", ["user_", "user_00", "z_", "z", "x"])
async def test_pages_of_a_prefix(store: Store, prefix: str) -> None:
    """Whether the order is walked or names are looked up, the page is the same, both ways."""
    rows = counting.of_month(CROWD, MONTH, None)
    own = [row for row in rows if (row.user or "").startswith(prefix)]
    for order in get_args(LeaderboardOrder):
        value = counting.VALUES.get(order)
        expected = sorted(own, key=lambda row: -value(row)) if value else own
        query = msgspec.convert(
            {"month": MONTH, "prefix": prefix, "order": order, "offset": 50, "limit": 40},
            LeaderboardQuery,
        )
        assert list(await store.leaderboard(query)) == expected[50:90]
        reverse = msgspec.structs.replace(query, ascending=True)
        assert list(await store.leaderboard(reverse)) == expected[::-1][50:90]
