"""The lengths of time that a row may stand for."""

from collections.abc import Callable, Mapping
from typing import Literal

from gateway.calendar import DAY, HOUR, MINUTE, day_text, first_day, iso_milliseconds, month_of

Granularity = Literal["minute", "hour", "day", "week", "month"]

_MONDAY = 4  # 1970-01-05


def _moment(unit: int) -> Callable[[int], str]:
    return lambda moment: iso_milliseconds(moment // unit * unit).replace(".000Z", "Z")


def _week(moment: int) -> str:
    day = moment // DAY
    return day_text(day - (day - _MONDAY) % 7)


GRANULARITIES: Mapping[Granularity, Callable[[int], str]] = {
    "minute": _moment(MINUTE),
    "hour": _moment(HOUR),
    "day": lambda moment: day_text(moment // DAY),
    "week": _week,
    "month": lambda moment: day_text(first_day(month_of(moment // DAY))),
}
"""Microseconds since the epoch -> when that minute, hour… begins, in UTC; weeks on Monday."""
