"""Money on its way in and out."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from gateway.money import nano, usd


def test_nano_dollars_are_dollars() -> None:
    """A billion of them is one; the float is what the decimal says."""
    assert (usd(1_000_000_000), usd(150), usd(-75), usd(0)) == (1.0, 1.5e-07, -7.5e-08, 0.0)


@given(st.integers(min_value=-4 * 10**15, max_value=4 * 10**15))
def test_no_nano_dollar_is_lost(amount: int) -> None:
    """What is printed has every nano-dollar, up to four million dollars."""
    assert Decimal(repr(usd(amount))) * 1_000_000_000 == amount


def test_dollars_as_they_are_written() -> None:
    """A float that no binary fraction equals is the decimal it is written as; a half is rounded
    up."""
    written = (nano(0.1), nano(0.000000001), nano(Decimal("0.0000000005")), nano(1e-10))
    assert written == (100_000_000, 1, 1, 0)
