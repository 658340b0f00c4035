"""The calendar in whole numbers, against the standard library's."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calendar import (
    DAY,
    HOUR,
    day_number,
    day_of_month,
    day_text,
    first_day,
    iso_milliseconds,
    iso_moment,
    last_day,
    microseconds,
    month_of,
    month_text,
    whole_days,
)

DATES = st.dates(date(1970, 1, 1), date(2400, 12, 31))
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2400, 1, 1))  # UTC unsaid


@given(DATES)
def test_days(when: date) -> None:
    """A day is read back from its text, and its month goes from a first to before the next one."""
    day = day_number(when.isoformat())
    assert day_text(day) == when.isoformat()
    assert day_of_month(day) == when.day
    assert month_of(day) == (when.year - 1970) * 12 + when.month - 1
    assert day_text(first_day(month_of(day))) == when.replace(day=1).isoformat()
    assert month_text(month_of(day)) == when.isoformat()[:7]
    last = last_day(month_of(day))
    assert (month_of(last), day_of_month(last + 1)) == (month_of(day), 1)


def test_the_last_day() -> None:
    """The calendar ends with a month that has a last day, and no month after it."""
    last = day_number("9999-12-31")
    assert last_day(month_of(last)) == last


@pytest.mark.parametrize("text", ["", "2026-13-01", "2026-02-29", "20260131", "2026-W05-6", "now"])
def test_no_day(text: str) -> None:
    """What is not written YYYY-MM-DD is no day."""
    with pytest.raises(ValueError, match=r"day|data"):
        day_number(text)


@given(MOMENTS)
def test_moments(when: datetime) -> None:
    """A moment is read back from its text to the microsecond; without an offset it is UTC."""
    moment = microseconds(when)
    assert microseconds(datetime.fromisoformat(iso_moment(moment))) == moment
    assert microseconds(when.replace(tzinfo=UTC)) == moment
    assert day_text(moment // DAY) == when.date().isoformat()
    assert moment // HOUR % 24 == when.hour


def test_offset() -> None:
    """An offset is heeded."""
    here = datetime(2026, 1, 31, 2, tzinfo=timezone(timedelta(hours=2)))
    assert microseconds(here) == microseconds(datetime(2026, 1, 31, tzinfo=UTC))


def test_milliseconds() -> None:
    """As JavaScript writes it."""
    assert iso_milliseconds(1_769_860_800_250_999) == "2026-01-31T12:00:00.250Z"


def test_whole_days() -> None:
    """A day that has begun is not whole."""
    assert [whole_days(seconds) for seconds in (0, 86399.9, 86400, 864_000)] == [0, 0, 1, 10]
