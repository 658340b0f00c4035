"""What should have been there instead of a faulty key or value, in words."""

import difflib
from collections.abc import Iterable
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from msgspec import inspect

_NOUNS: dict[type, str] = {dict: "a mapping", list: "a list", type(None): "nothing"}
_UNQUOTED = (inspect.IntType, inspect.FloatType, inspect.BoolType)


def alternatives(kind: Any) -> list[Any]:
    """The types a value of `kind` may have, without their constraints."""
    if get_origin(kind) is Annotated:
        return alternatives(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return [option for part in get_args(kind) for option in alternatives(part)]
    return [kind]


def expected_key(name: str, known: Iterable[str]) -> str:
    """Which key could be meant instead of `name`."""
    meant = difflib.get_close_matches(name, known, n=1)
    if meant:
        return f"Expected a known key, perhaps `{meant[0]}`"
    return "Expected a known key: " + ", ".join(f"`{name}`" for name in known)


def expected_value(value: object, kind: Any, complaint: str) -> str:
    """What `kind` looks like, and what was found when that is of another sort."""
    info = inspect.type_info(kind)
    expected = complaint if isinstance(info, inspect.CustomType) else f"Expected {_describe(info)}"
    if isinstance(value, int | float) and str in alternatives(kind):
        return f"{expected}: put it in quotes to make it one"
    if isinstance(value, str) and isinstance(info, _UNQUOTED):
        return f"{expected}, without quotes"
    found = _NOUNS.get(type(value))
    return f"{expected}, found {found}" if found and found not in expected else expected


def _describe(info: inspect.Type) -> str:
    match info:
        case inspect.Metadata(extra_json_schema={"description": str(description)}):
            return description
        case inspect.UnionType(types=types):
            named = [kind for kind in types if not isinstance(kind, inspect.NoneType)]
            return ", or ".join(map(_describe, named))
        case inspect.IntType(ge=low, le=high):
            return "a whole number" + _between(low, high)
        case inspect.FloatType(ge=low, le=high):
            return "a number" + _between(low, high)
        case inspect.LiteralType(values=values):
            return "one of " + ", ".join(f"`{value}`" for value in values)
        case inspect.BoolType():
            return "`true` or `false`"
        case inspect.StrType():
            return "a string"
        case inspect.VarTupleType(min_length=least):
            return "a list with at least one entry" if least else "a list"
    return "a mapping"


def _between(low: float | None, high: float | None) -> str:
    if low is None:
        return ""
    return f" of at least {low}" if high is None else f" from {low} to {high}"
