"""Calendar months in UTC, as whole numbers since January 1970; days are counted since the epoch."""

from datetime import date, timedelta

_EPOCH = date(1970, 1, 1)


def month_of(day: int) -> int:
    """The month a day lies in."""
    when = _EPOCH + timedelta(days=day)
    return (when.year - 1970) * 12 + when.month - 1


def day_of_month(day: int) -> int:
    """1 to 31."""
    return (_EPOCH + timedelta(days=day)).day


def first_day(month: int) -> int:
    """The day a month begins with."""
    return (date(1970 + month // 12, month % 12 + 1, 1) - _EPOCH).days
