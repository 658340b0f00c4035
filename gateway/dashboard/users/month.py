"""Which calendar month an address asks for, counted since January 1970."""

import re

from gateway.calendar import day_number, month_of
from gateway.errors import BadRequest

_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


def read_month(text: str | None, today: int) -> int:
    """YYYY-MM, or the month of `today`; BadRequest for anything else."""
    if text is None:
        return month_of(today)
    if not _MONTH.fullmatch(text) or not "1970" <= text < "9999":
        raise BadRequest("Parameter `month` must be a month as YYYY-MM", "month")
    return month_of(day_number(f"{text}-01"))
