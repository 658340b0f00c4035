"""How a filter compares a row's value with what it names: OpenRouter's operators.

openrouter.ai/docs/api/api-reference/analytics. Every dimension is text, and so is what it is
compared with; `gt` and the like go by code points, as the rows are ordered.
"""

import operator
from collections.abc import Callable, Collection, Mapping
from typing import Literal

import msgspec

OperatorName = Literal["eq", "neq", "in", "not_in", "gt", "gte", "lt", "lte"]
ValueType = Literal["scalar", "array"]


class Operator(msgspec.Struct, frozen=True):
    """`holds` of a row's value and the filter's, which are one where it takes a scalar."""

    takes: ValueType
    holds: Callable[[str, Collection[str]], bool]


def _one(compare: Callable[[str, str], bool]) -> Operator:
    return Operator("scalar", lambda value, wanted: compare(value, next(iter(wanted))))


OPERATORS: Mapping[OperatorName, Operator] = {
    "eq": _one(operator.eq),
    "neq": _one(operator.ne),
    "in": Operator("array", lambda value, wanted: value in wanted),
    "not_in": Operator("array", lambda value, wanted: value not in wanted),
    "gt": _one(operator.gt),
    "gte": _one(operator.ge),
    "lt": _one(operator.lt),
    "lte": _one(operator.le),
}
