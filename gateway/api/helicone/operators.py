"""What a Helicone filter may ask of one value: operators on text, numbers, moments.

docs.helicone.ai/rest/user/post-v1usermetricsquery, `Partial_*Operators_`. Several operators of one
test hold together.
"""

import fnmatch
import operator
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, ClassVar

from msgspec import UNSET, UnsetType, field

from gateway.api.asked import Asked
from gateway.api.times import microseconds

_WILDCARDS = str.maketrans({"%": "*", "_": "?", "*": "[*]", "?": "[?]", "[": "[[]"})


class Test(Asked, frozen=True, kw_only=True):
    """Operators, each with what to compare to."""

    compare: ClassVar[Mapping[str, Callable[[Any, Any], bool]]] = {}

    def holds(self, value: Any) -> bool:
        """Whether every operator that is set holds of `value`."""
        asked = ((compare, getattr(self, name)) for name, compare in self.compare.items())
        return all(compare(value, wanted) for compare, wanted in asked if wanted is not UNSET)


def _contains(value: str, part: str) -> bool:
    """Without regard to case, as Helicone's own is an ILIKE."""
    return part.lower() in value.lower()


def _is_like(value: str, pattern: str) -> bool:
    return _like(pattern)(value) is not None


@lru_cache(maxsize=64)
def _like(pattern: str) -> Callable[[str], re.Match[str] | None]:
    """SQL's LIKE; fnmatch makes expressions that cannot backtrack for long."""
    return re.compile(fnmatch.translate(pattern.translate(_WILDCARDS))).match


class TextTest(Test, frozen=True, kw_only=True):
    """`like` and `ilike` know `%` and `_`; `contains` and `ilike` do not regard case."""

    equals: str | UnsetType = UNSET
    not_equals: str | UnsetType = field(default=UNSET, name="not-equals")
    like: str | UnsetType = UNSET
    ilike: str | UnsetType = UNSET
    contains: str | UnsetType = UNSET
    not_contains: str | UnsetType = field(default=UNSET, name="not-contains")

    compare: ClassVar[Mapping[str, Callable[[Any, Any], bool]]] = {
        "equals": operator.eq,
        "not_equals": operator.ne,
        "like": _is_like,
        "ilike": lambda value, pattern: _is_like(value.lower(), pattern.lower()),
        "contains": _contains,
        "not_contains": lambda value, part: not _contains(value, part),
    }


_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "gte": operator.ge,
    "lte": operator.le,
    "lt": operator.lt,
    "gt": operator.gt,
}


class NumberTest(Test, frozen=True, kw_only=True):
    """In the units of the field that is tested."""

    equals: float | UnsetType = UNSET
    not_equals: float | UnsetType = field(default=UNSET, name="not-equals")
    gte: float | UnsetType = UNSET
    lte: float | UnsetType = UNSET
    lt: float | UnsetType = UNSET
    gt: float | UnsetType = UNSET

    compare: ClassVar[Mapping[str, Callable[[Any, Any], bool]]] = {
        "equals": operator.eq,
        "not_equals": operator.ne,
        **_ORDER,
    }


def _at(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda value, moment: compare(value, microseconds(moment))


class MomentTest(Test, frozen=True, kw_only=True):
    """ISO 8601, UTC unless it says; the value tested is in microseconds since the epoch."""

    equals: datetime | UnsetType = UNSET
    gte: datetime | UnsetType = UNSET
    lte: datetime | UnsetType = UNSET
    lt: datetime | UnsetType = UNSET
    gt: datetime | UnsetType = UNSET

    compare: ClassVar[Mapping[str, Callable[[Any, Any], bool]]] = {
        name: _at(compare) for name, compare in {"equals": operator.eq, **_ORDER}.items()
    }
