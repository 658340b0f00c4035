"""Months as the page of all users has them in its address."""

import pytest

from gateway.calendar import month_text
from gateway.dashboard.users.month import read_month
from gateway.errors import BadRequest


@pytest.mark.parametrize("text", ["1970-01", "2026-11", "9998-12"])
def test_month_is_read_as_it_is_written(text: str) -> None:
    """An address leads to the month that it names."""
    assert month_text(read_month(text, today=0)) == text


def test_absent_month_is_the_one_of_today() -> None:
    """Without a month the page shows the current one."""
    assert read_month(None, today=31) == 1


@pytest.mark.parametrize("text", ["2026-13", "2026-1", "1969-12", "9999-01", "now", "2026-11-01"])
def test_anything_else_is_refused_by_name(text: str) -> None:
    """The error says what a month looks like."""
    with pytest.raises(BadRequest, match="`month` must be a month as YYYY-MM") as caught:
        read_month(text, today=0)
    assert caught.value.param == "month"
