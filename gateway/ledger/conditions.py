"""What may be asked of a user's sums, and what it means: every store answers alike.

Case is that of the letters A to Z alone, as SQLite has it (sqlite.org/lang_corefunc.html#lower).
"""

import fnmatch
import operator
import re
import string
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Literal

import msgspec

Measure = Literal[
    "user",
    "usd",
    "requests",
    "prompt_tokens",
    "completion_tokens",
    "active_days",
    "first_seen",
    "last_seen",
    "requests_per_day",
    "tokens_per_request",
]
"""Of one user: the id (empty without one), dollars, counts, days with a request, microseconds since
the epoch, means."""

Operator = Literal["=", "<>", "<", "<=", ">", ">=", "like", "ilike", "contains", "lacks"]
"""The last four are about text; `like` knows SQL's `%` and `_`, the others do not regard case."""

LONGEST_PATTERN = 2048
"""Characters of a `like`; no id is as long."""

_WILDCARDS = str.maketrans({"%": "*", "_": "?", "*": "[*]", "?": "[?]", "[": "[[]"})
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


class Comparison(msgspec.Struct, frozen=True):
    """One test of one measure."""

    measure: Measure
    operator: Operator
    value: int | float | str

    def holds(self, value_of: Callable[[Measure], Any]) -> bool:
        """Whether it does of a user, given what its measures are."""
        return COMPARE[self.operator](value_of(self.measure), self.value)


class Junction(msgspec.Struct, frozen=True):
    """Conditions that all hold or, where `is_any`, of which one does."""

    parts: tuple["Condition", ...]
    is_any: bool = False

    def holds(self, value_of: Callable[[Measure], Any]) -> bool:
        """Whether it does of a user, given what its measures are."""
        combine = any if self.is_any else all
        return combine(part.holds(value_of) for part in self.parts)


Condition = Comparison | Junction
EVERYONE = Junction(())


def lowered(text: str) -> str:
    """Without regard to case."""
    return text.translate(_LOWER)


def globbed(pattern: str) -> str:
    """A pattern of SQL's LIKE as one of GLOB, which is fnmatch's too."""
    return pattern.translate(_WILDCARDS)


@lru_cache(maxsize=256)
def _matcher(pattern: str) -> Callable[[str], re.Match[str] | None]:
    """fnmatch makes expressions that cannot backtrack for long. Making one takes much longer than
    using it: those of one question, which has up to 200, are kept."""
    return re.compile(fnmatch.translate(globbed(pattern))).match


def _is_like(value: str, pattern: str) -> bool:
    return _matcher(pattern)(value) is not None


def _contains(value: str, part: str) -> bool:
    return lowered(part) in lowered(value)


COMPARE: Mapping[Operator, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "like": _is_like,
    "ilike": lambda value, pattern: _is_like(lowered(value), lowered(pattern)),
    "contains": _contains,
    "lacks": lambda value, part: not _contains(value, part),
}
