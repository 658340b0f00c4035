"""Calendar months, counted since January 1970, as addresses and people write them."""

import re
from datetime import date

from gateway.calendar import month_of
from gateway.errors import BadRequest

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


def read_month(text: str | None, today: int) -> int:
    """YYYY-MM, or the month of `today`; BadRequest for anything else."""
    if text is None:
        return month_of(today)
    match = _MONTH.fullmatch(text)
    if match is None or not 1970 <= int(match[1]) < 9999:
        raise BadRequest("Parameter `month` must be a month as YYYY-MM", "month")
    return (int(match[1]) - 1970) * 12 + int(match[2]) - 1


def month_text(month: int) -> str:
    """YYYY-MM."""
    return _first_day(month).isoformat()[:7]


def month_name(month: int) -> str:
    """`November 2026`."""
    return f"{_first_day(month):%B %Y}"


def _first_day(month: int) -> date:
    return date(1970 + month // 12, month % 12 + 1, 1)
