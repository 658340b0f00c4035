"""The operators of a Helicone filter: on text, numbers and times.

docs.helicone.ai/rest/user/post-v1usermetricsquery, `Partial_*Operators_`. Several operators of one
test must all hold.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar

from msgspec import UNSET, Meta, UnsetType, field

from gateway.api.json_body import JsonBody
from gateway.calendar import microseconds
from gateway.ledger.conditions import COMPARE, LONGEST_PATTERN, Operator

Pattern = Annotated[str, Meta(max_length=LONGEST_PATTERN)]


class Test(JsonBody, frozen=True, kw_only=True):
    """Operators, each with a value to compare to; `means`: what each is called in the ledger."""

    means: ClassVar[Mapping[str, Operator]] = {}

    def comparisons(self) -> Iterator[tuple[Operator, Any]]:
        """Those that are set, with what they compare to in the ledger's units."""
        for name, meaning in self.means.items():
            wanted = getattr(self, name)
            if wanted is not UNSET:
                moment = isinstance(wanted, datetime)
                yield meaning, microseconds(wanted) if moment else wanted

    def holds(self, value: Any) -> bool:
        """Whether every operator that is set holds of `value`."""
        return all(COMPARE[meaning](value, wanted) for meaning, wanted in self.comparisons())


class TextTest(Test, frozen=True, kw_only=True):
    """`like` and `ilike` know `%` and `_`; `contains` and `ilike` do not regard case."""

    equals: str | UnsetType = UNSET
    not_equals: str | UnsetType = field(default=UNSET, name="not-equals")
    like: Pattern | UnsetType = UNSET
    ilike: Pattern | UnsetType = UNSET
    contains: str | UnsetType = UNSET
    not_contains: str | UnsetType = field(default=UNSET, name="not-contains")

    means: ClassVar[Mapping[str, Operator]] = {
        "equals": "=",
        "not_equals": "<>",
        "like": "like",
        "ilike": "ilike",
        "contains": "contains",
        "not_contains": "lacks",
    }


_ORDER: Mapping[str, Operator] = {"gte": ">=", "lte": "<=", "lt": "<", "gt": ">"}


class NumberTest(Test, frozen=True, kw_only=True):
    """In the units of the field that is tested."""

    equals: float | UnsetType = UNSET
    not_equals: float | UnsetType = field(default=UNSET, name="not-equals")
    gte: float | UnsetType = UNSET
    lte: float | UnsetType = UNSET
    lt: float | UnsetType = UNSET
    gt: float | UnsetType = UNSET

    means: ClassVar[Mapping[str, Operator]] = {"equals": "=", "not_equals": "<>", **_ORDER}


class MomentTest(Test, frozen=True, kw_only=True):
    """ISO 8601, UTC unless it says; the value tested is in microseconds since the epoch."""

    equals: datetime | UnsetType = UNSET
    gte: datetime | UnsetType = UNSET
    lte: datetime | UnsetType = UNSET
    lt: datetime | UnsetType = UNSET
    gt: datetime | UnsetType = UNSET

    means: ClassVar[Mapping[str, Operator]] = {"equals": "=", **_ORDER}
