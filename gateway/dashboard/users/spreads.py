"""How requests and cost are spread over users, as bars: how many users have how much."""

from collections.abc import Callable, Iterator, Sequence

from markupsafe import Markup

from gateway.dashboard.charts import HALF, NUMBER, Series, draw_bars
from gateway.dashboard.formats import short_money
from gateway.ledger.spread import Bar

QUARTERS = (0.25, 0.75)

Ranks = tuple[float, float]
"""Which part of the users is shown, all being 0 to 1."""


async def request_bars(bars: Sequence[Bar], ranks: Ranks) -> Markup | None:
    """Users by their number of requests; None when there are none to show."""
    return await _draw("Users by number of requests", kept(bars, ranks), _whole)


async def cost_bars(bars: Sequence[Bar], ranks: Ranks) -> Markup | None:
    """Users by their cost; None when there are none to show."""
    return await _draw("Users by cost", kept(bars, ranks), _dollars)


def kept(bars: Sequence[Bar], ranks: Ranks) -> list[Bar]:
    """The bars with a user of those ranks in them."""
    users = sum(bar.users for bar in bars)
    first, last = (rank * users for rank in ranks)
    return [bar for bar, before in _ranked(bars) if first < before + bar.users and before < last]


def _ranked(bars: Sequence[Bar]) -> Iterator[tuple[Bar, int]]:
    """Each bar with the number of users in the bars before it."""
    before = 0
    for bar in bars:
        yield bar, before
        before += bar.users


async def _draw(title: str, bars: Sequence[Bar], label: Callable[[Bar], str]) -> Markup | None:
    if not bars:
        return None
    series = Series("users", [bar.users for bar in bars])
    return await draw_bars(title, [label(bar) for bar in bars], [series], NUMBER, HALF)


def _whole(bar: Bar) -> str:
    last = bar.end - 1
    return f"{bar.start:,}" if last == bar.start else f"{bar.start:,}\u2013{last:,}"


def _dollars(bar: Bar) -> str:
    return f"{short_money(bar.start)}{'+' if bar.start else ''}"
