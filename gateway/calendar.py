"""The UTC calendar in whole numbers: moments in microseconds, hours, days and months since 1970."""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
"""All in microseconds, as moments are."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = _EPOCH.date()


def microseconds(moment: datetime) -> int:
    """A moment as a number; one without an offset is UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // timedelta(microseconds=1)


def iso_moment(microseconds: int) -> str:
    """A moment as ISO 8601 with offset."""
    return (_EPOCH + timedelta(microseconds=microseconds)).isoformat(timespec="microseconds")


def iso_milliseconds(microseconds: int) -> str:
    """The same as JavaScript's `toISOString` writes it: milliseconds and a Z."""
    moment = _EPOCH + timedelta(microseconds=microseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def whole_days(seconds: float) -> int:
    """Days in so many seconds; of seconds since the epoch, the day they lie in."""
    return int(seconds) // 86400


def day_number(text: str) -> int:
    """The day written YYYY-MM-DD; ValueError when it is none."""
    return (datetime.strptime(text, "%Y-%m-%d").date() - _FIRST).days


def day_text(day: int) -> str:
    """A day as YYYY-MM-DD."""
    return _date(day).isoformat()


def month_of(day: int) -> int:
    """The month a day lies in."""
    when = _date(day)
    return (when.year - 1970) * 12 + when.month - 1


def day_of_month(day: int) -> int:
    """1 to 31."""
    return _date(day).day


def first_day(month: int) -> int:
    """The day a month begins with."""
    return (date(1970 + month // 12, month % 12 + 1, 1) - _FIRST).days


def last_day(month: int) -> int:
    """The day a month ends with."""
    return first_day(month) + monthrange(1970 + month // 12, month % 12 + 1)[1] - 1


def month_text(month: int) -> str:
    """A month as YYYY-MM."""
    return day_text(first_day(month))[:7]


def _date(day: int) -> date:
    return _FIRST + timedelta(days=day)
