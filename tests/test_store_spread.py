"""How a month's users are spread, against counting the plainest way."""

from collections import Counter
from collections.abc import Iterable

import pytest

from gateway.calendar import month_of
from gateway.ledger.spread import Bar
from gateway.ledger.store import Store
from tests.parts import counting
from tests.parts.crowds import crowd
from tests.parts.generations import DAY

CROWD = crowd()
MONTH = month_of(DAY)


@pytest.mark.parametrize("tenant", [None, "app"])
@pytest.mark.parametrize("month", [MONTH, MONTH + 1])
async def test_spread(crowded: Store, month: int, tenant: str | None) -> None:
    """Each user of the month stands in one bar of each measure, the one that holds its count."""
    tenants = None if tenant is None else frozenset({tenant})
    spread = await crowded.spread(month, tenants)
    rows = counting.of_month(CROWD, month, tenant)
    assert held(spread.requests) == counted([row.counts.requests for row in rows])
    assert held(spread.cost) == counted([row.counts.cost for row in rows])


def held(bars: Iterable[Bar]) -> list[tuple[int, int, int]]:
    return [(bar.start, bar.end, bar.users) for bar in bars]


def counted(values: Iterable[int]) -> list[tuple[int, int, int]]:
    """Bars of numbers with the same length and first digit, lowest first."""
    starts = Counter(int(str(v)[0]) * 10 ** (len(str(v)) - 1) for v in values)
    return [(s, s + (10 ** (len(str(s)) - 1)), n) for s, n in sorted(starts.items())]
