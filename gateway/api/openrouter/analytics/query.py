"""The query: openrouter.ai/docs/api/api-reference/analytics/query-analytics-data."""

from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from gateway.api.json_body import JsonBody
from gateway.api.openrouter.analytics.dimensions import DIMENSIONS
from gateway.api.openrouter.analytics.granularity import Granularity
from gateway.api.openrouter.analytics.metrics import METRICS
from gateway.api.openrouter.analytics.operators import OPERATORS, OperatorName
from gateway.api.timespan import Timespan
from gateway.calendar import DAY, HOUR, microseconds
from gateway.errors import BadRequest

MAX_ROWS = 10_000
_MAX_DIMENSIONS = 2
_MAX_FILTERS = 20
_MAX_VALUES = 20_000
_USUAL_DAYS = 7
_LONGEST_BY_MINUTE = 3 * HOUR

Value = str | int | float


class AnalyticsFilter(JsonBody, frozen=True, kw_only=True):
    """A dimension compared, as text.

    What has no value passes `neq`, and `in` and `not_in` with `include_unset`.
    """

    field: str
    operator: OperatorName
    value: Value | Annotated[list[Value], msgspec.Meta(max_length=_MAX_VALUES)]
    include_unset: bool = False

    @property
    def values(self) -> frozenset[str]:
        """What it is compared to, as text."""
        values = self.value if isinstance(self.value, list) else [self.value]
        return frozenset(str(value) for value in values)


class OrderBy(JsonBody, frozen=True, kw_only=True):
    """By a metric asked for or `request_count`, a dimension asked for, or `date`."""

    field: str
    direction: Literal["asc", "desc"]


class TimeRange(JsonBody, frozen=True, kw_only=True):
    """ISO 8601 with seconds, UTC unless it says; from `start` to before `end`."""

    start: datetime
    end: datetime


class AnalyticsQuery(JsonBody, frozen=True, kw_only=True):
    """`group_limit`: rows of one combination of dimensions, over time. Without `time_range`: the
    last 7 UTC days, today included. Without `order_by`: by `granularity`, the newest first, else
    most of the first metric."""

    metrics: Annotated[list[str], msgspec.Meta(min_length=1)]
    dimensions: Annotated[list[str], msgspec.Meta(max_length=_MAX_DIMENSIONS)] = msgspec.field(
        default_factory=list
    )
    filters: Annotated[list[AnalyticsFilter], msgspec.Meta(max_length=_MAX_FILTERS)] = (
        msgspec.field(default_factory=list)
    )
    granularity: Granularity | None = None
    time_range: TimeRange | None = None
    order_by: OrderBy | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_ROWS)] = 1000
    group_limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_ROWS)] | None = None

    @property
    def fields(self) -> frozenset[str]:
        """The dimensions it takes to answer."""
        return frozenset((*self.dimensions, *(each.field for each in self.filters)))

    def span(self, now: int) -> Timespan:
        """The time to count; `now` in microseconds since the epoch."""
        if self.time_range is None:
            return Timespan((now // DAY - _USUAL_DAYS + 1) * DAY, now + 1)
        start, end = microseconds(self.time_range.start), microseconds(self.time_range.end)
        return Timespan(max(start, 0), max(end, 0))


def check(query: AnalyticsQuery) -> None:
    """Raises BadRequest, which names what is unknown or does not go together."""
    for name in query.metrics:
        _know("metrics", name, METRICS)
    for name in query.dimensions:
        _know("dimensions", name, DIMENSIONS)
    for each in query.filters:
        _know("filters.field", each.field, DIMENSIONS)
        _check_filter(each)
    if query.order_by is not None:
        orders = {*query.metrics, *query.dimensions, "request_count", "date"}
        _know("order_by.field", query.order_by.field, orders)
    _check_time(query)


def _know(place: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        raise BadRequest(f"`{place}`: there is no {name!r}; expected {', '.join(sorted(known))}")


def _check_filter(each: AnalyticsFilter) -> None:
    is_set = OPERATORS[each.operator].takes == "array"
    if is_set != isinstance(each.value, list):
        kind = "an array" if is_set else "a single value"
        raise BadRequest(f"`filters.value` of {each.field}: `{each.operator}` takes {kind}")
    if each.include_unset and not is_set:
        raise BadRequest(f"`filters.include_unset` of {each.field}: only `in` and `not_in` take it")
    if each.include_unset and not DIMENSIONS[each.field].can_be_unset:
        raise BadRequest(f'Dimension "{each.field}" has no unset bucket')


def _check_time(query: AnalyticsQuery) -> None:
    if query.order_by and query.order_by.field == "date" and query.granularity is None:
        raise BadRequest("`order_by.field`: rows have a date only with a `granularity`")
    length = _USUAL_DAYS * DAY
    if query.time_range is not None:
        length = microseconds(query.time_range.end) - microseconds(query.time_range.start)
    if length <= 0:
        raise BadRequest("`time_range.end` must be after `time_range.start`")
    if query.granularity == "minute" and length > _LONGEST_BY_MINUTE:
        raise BadRequest("`granularity`: by minute, `time_range` is at most 3 hours")
