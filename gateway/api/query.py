"""Query parameters, read strictly: what is unknown, repeated or of the wrong form is a 400."""

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TypeVar
from urllib.parse import parse_qsl

from gateway.calendar import SECOND, day_number, iso_moment, microseconds
from gateway.errors import BadRequest

T = TypeVar("T", bound=str)

_WHOLE = re.compile(r"[0-9]{1,11}")


def read_query(query: str, known: Collection[str]) -> dict[str, str]:
    """Name -> value of every parameter that is not empty; BadRequest for one not in `known`."""
    values: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in known:
            raise BadRequest(f"Unknown parameter `{name}`; expected {', '.join(known)}", name)
        if name in values:
            raise BadRequest(f"Parameter `{name}` is given twice", name)
        values[name] = value.strip()
    return {name: value for name, value in values.items() if value}


def read_choice(values: Mapping[str, str], name: str, known: Collection[T], default: T) -> T:
    """One of `known`, `default` when absent."""
    value = values.get(name, default)
    for each in known:
        if each == value:
            return each
    raise BadRequest(f"Parameter `{name}` must be one of {', '.join(known)}", name)


def read_bool(values: Mapping[str, str], name: str) -> bool | None:
    """`true` or `false`; None when absent."""
    value = values.get(name)
    if value is None:
        return None
    if value not in ("true", "false"):
        raise BadRequest(f"Parameter `{name}` must be `true` or `false`", name)
    return value == "true"


def read_int(
    values: Mapping[str, str], name: str, default: int, maximum: int, minimum: int = 1
) -> int:
    """A whole number from `minimum` to `maximum`."""
    value = values.get(name, str(default))
    if not _WHOLE.fullmatch(value) or not minimum <= int(value) <= maximum:
        raise BadRequest(
            f"Parameter `{name}` must be a whole number from {minimum} to {maximum}", name
        )
    return int(value)


def read_moment(values: Mapping[str, str], name: str) -> int | None:
    """A moment in microseconds since the epoch: ISO 8601 (UTC unless it says), or Unix seconds."""
    value = values.get(name)
    if value is None:
        return None
    if _WHOLE.fullmatch(value):
        return int(value) * SECOND
    try:
        moment = microseconds(datetime.fromisoformat(value.replace(" ", "+")))
        iso_moment(moment)
    except (ValueError, OverflowError):  # with its offset it may lie outside the calendar
        raise BadRequest(
            f"Parameter `{name}` must be ISO 8601 such as 2026-01-31T12:00:00Z, or Unix seconds",
            name,
        ) from None
    return moment


def read_day(values: Mapping[str, str], name: str) -> int | None:
    """A UTC day, YYYY-MM-DD, as days since the epoch."""
    value = values.get(name)
    if value is None:
        return None
    try:
        return day_number(value)
    except ValueError:
        raise BadRequest(f"Parameter `{name}` must be a day as YYYY-MM-DD", name) from None
