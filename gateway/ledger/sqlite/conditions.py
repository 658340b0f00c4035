"""Measures of users and conditions on them, in SQL; over columns that are summed up already."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from gateway.ledger.conditions import Comparison, Condition, Measure, Operator, globbed
from gateway.ledger.sqlite.orders import ORDERS

_MEASURES = {**ORDERS, "usd": "(cost / 1e9)"}
_PARTS: Mapping[Measure, Collection[str]] = {
    "user": (),
    "usd": ("cost",),
    "requests_per_day": ("requests", "active_days"),
    "tokens_per_request": ("prompt_tokens", "completion_tokens", "requests"),
}
_TESTS: Mapping[Operator, str] = {
    "like": "user GLOB ?",
    "ilike": "lower(user) GLOB lower(?)",
    "contains": "instr(lower(user), lower(?)) > 0",
    "lacks": "instr(lower(user), lower(?)) = 0",
}


class Sql(NamedTuple):
    """A statement, or a part of one, and the values of its marks."""

    text: str
    values: Sequence[object] = ()


def measure_sql(measure: Measure) -> str:
    """The expression of a measure."""
    return _MEASURES.get(measure, measure)


def columns_of(measures: Collection[Measure], condition: Condition) -> list[str]:
    """What has to be summed up for the measures and for the condition, tenant and user apart."""
    wanted = {*measures, *_measures_in(condition)}
    return sorted({part for measure in wanted for part in _PARTS.get(measure, (measure,))})


def condition_sql(condition: Condition) -> Sql:
    """What stands after WHERE."""
    if isinstance(condition, Comparison):
        is_pattern = condition.operator in ("like", "ilike")
        value = globbed(str(condition.value)) if is_pattern else condition.value
        if is_pattern and "\0" in str(value):
            return Sql("0")  # no id has one, and to SQLite the pattern would end there
        plain = f"{measure_sql(condition.measure)} {condition.operator} ?"
        return Sql(_TESTS.get(condition.operator, plain), [value])
    if not condition.parts:
        return Sql("0" if condition.is_any else "1")
    parts = [condition_sql(part) for part in condition.parts]
    joined = (" OR " if condition.is_any else " AND ").join(part.text for part in parts)
    return Sql(f"({joined})", [value for part in parts for value in part.values])


def _measures_in(condition: Condition) -> Iterator[Measure]:
    if isinstance(condition, Comparison):
        yield condition.measure
    else:
        for part in condition.parts:
            yield from _measures_in(part)
