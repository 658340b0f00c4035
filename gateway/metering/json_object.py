"""Numbers, texts and objects in a decoded JSON object, where any type may be in their place."""

from typing import Any, Final

JsonObject = dict[str, Any]

_MAX_TOKENS: Final = 1_000_000_000
_MAX_TEXT: Final = 512


def part(found: JsonObject | None, name: str) -> JsonObject | None:
    """The object under `name`, if it is one."""
    value = None if found is None else found.get(name)
    return value if isinstance(value, dict) else None


def count(found: JsonObject | None, name: str, default: int = 0) -> int:
    """The whole number from 0 to a billion under `name`; `default` where there is none."""
    value = None if found is None else found.get(name)
    if value is None or isinstance(value, bool):
        return default
    if isinstance(value, int):
        return value if 0 <= value <= _MAX_TOKENS else default
    is_whole = isinstance(value, float) and value.is_integer() and 0 <= value <= _MAX_TOKENS
    return int(value) if is_whole else default


def text_or_none(value: object) -> str | None:
    """A decoded value that ought to be a short string; None when it is none, or empty, or longer
    than what a record has room for."""
    return value or None if isinstance(value, str) and len(value) <= _MAX_TEXT else None
