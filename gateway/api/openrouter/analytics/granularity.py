"""The stretches of time that a row may stand for."""

from collections.abc import Callable, Mapping
from typing import Literal

from gateway.api.query import day_text
from gateway.api.times import iso_milliseconds
from gateway.api.timespan import DAY, HOUR
from gateway.ledger.months import first_day, month_of

Granularity = Literal["minute", "hour", "day", "week", "month"]

_MINUTE = HOUR // 60
_MONDAY = 4  # 1970-01-05


def _moment(unit: int) -> Callable[[int], str]:
    return lambda moment: iso_milliseconds(moment // unit * unit).replace(".000Z", "Z")


def _week(moment: int) -> str:
    day = moment // DAY
    return day_text(day - (day - _MONDAY) % 7)


GRANULARITIES: Mapping[Granularity, Callable[[int], str]] = {
    "minute": _moment(_MINUTE),
    "hour": _moment(HOUR),
    "day": lambda moment: day_text(moment // DAY),
    "week": _week,
    "month": lambda moment: day_text(first_day(month_of(moment // DAY))),
}
"""A moment in microseconds -> when its stretch begins, in UTC; weeks begin on Monday."""
