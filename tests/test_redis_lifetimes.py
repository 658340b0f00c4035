"""When keys may go: never before what is in them."""

import pytest

from gateway.config import Retention
from gateway.ledger.redis.lifetimes import lifetimes
from gateway.units import Duration

DAY = 86_400
RETENTION = Retention(generations=Duration(30 * DAY), activity=Duration(400 * DAY))


@pytest.mark.parametrize(
    ("period", "last_day", "kept"), [("h480024", 20001, 30), ("d20000", 20000, 400)]
)
def test_periods(period: str, last_day: int, kept: int) -> None:
    """What belongs to a period goes a day after the end of it is past its retention."""
    assert lifetimes(RETENTION).of_period(period) == (last_day + 1 + kept + 1) * DAY


def test_month_ends_with_its_last_day() -> None:
    """A month is kept for its last day, whenever it is written to."""
    ends = lifetimes(RETENTION)
    assert ends.of_period("m0") == ends.of_period("d30")


@pytest.mark.parametrize("days", [0, 500])
def test_lists_and_registers(days: int) -> None:
    """Lists go when nothing came for as long as generations are kept, registers when that or the
    retention of activity is over, whichever is longer."""
    ends = lifetimes(Retention(generations=Duration(days * DAY)), clock=lambda: 1e9)
    assert ends.of_generations == 1e9 + (days + 1) * DAY
    assert ends.of_registers == 1e9 + (max(days, 400) + 1) * DAY
