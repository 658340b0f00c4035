"""The bodies of Helicone's user API, with its names, limits and envelope.

docs.helicone.ai/rest/user: post-v1usermetricsquery, post-v1usermetrics-overviewquery,
post-v1userquery.
"""

from typing import Annotated, Literal

import msgspec

from gateway.api.helicone.fields import MEASURES
from gateway.api.helicone.filters import Filter
from gateway.api.helicone.histogram import HistogramRow
from gateway.api.json_body import JsonBody
from gateway.calendar import iso_milliseconds
from gateway.ledger.memory_search import VALUE_OF
from gateway.ledger.results import UserRow
from gateway.money import usd

MAX_LIMIT = 1000
LAST_SECOND = 253_402_300_799
"""The last second that has a calendar year of four digits."""

UnixSeconds = Annotated[float, msgspec.Meta(ge=0, le=LAST_SECOND)]
SortField = Literal[
    "id",
    "user_id",
    "active_for",
    "first_active",
    "last_active",
    "total_requests",
    "average_requests_per_day_active",
    "average_tokens_per_request",
    "total_prompt_tokens",
    "total_completion_tokens",
    "cost",
]


class TimeFilter(JsonBody, frozen=True, kw_only=True):
    """From the start to before the end."""

    startTimeUnixSeconds: UnixSeconds
    endTimeUnixSeconds: UnixSeconds


class UserMetricsQueryParams(JsonBody, frozen=True, kw_only=True):
    """`sort`: by its first field; without one the latest active come first."""

    filter: Filter
    offset: Annotated[int, msgspec.Meta(ge=0, le=10**9)]
    limit: Annotated[int, msgspec.Meta(ge=0, extra_json_schema={"maximum": MAX_LIMIT})]
    timeFilter: TimeFilter | None = None
    timeZoneDifferenceMinutes: Annotated[float, msgspec.Meta(ge=-1440, le=1440)] = 0
    sort: dict[SortField, Literal["asc", "desc"]] = msgspec.field(default_factory=dict)


class UserMetricsResult(msgspec.Struct, frozen=True, kw_only=True):
    """`active_for` is in days with a request, `cost` in USD; `user_id` is empty without one."""

    id: str
    user_id: str
    active_for: int
    first_active: str
    last_active: str
    total_requests: int
    average_requests_per_day_active: float
    average_tokens_per_request: float
    total_completion_tokens: int
    total_prompt_tokens: int
    cost: float


class UserMetrics(msgspec.Struct, frozen=True):
    """A page of `users`; `count`: how many there are. `hasUsers`: there is one with an id."""

    users: list[UserMetricsResult]
    count: int
    hasUsers: bool


class UserMetricsAnswer(msgspec.Struct, frozen=True):
    data: UserMetrics
    error: None = None


class OverviewQueryParams(JsonBody, frozen=True, kw_only=True):
    """`pSize`: up to which percentile; `useInterquartile`: also from its mirror on."""

    filter: Filter
    pSize: Literal["p50", "p75", "p95", "p99", "p99.9"] = "p75"
    useInterquartile: bool = False


class Overview(msgspec.Struct, frozen=True):
    """How requests and cost (USD) spread over users."""

    request_count: list[HistogramRow]
    user_cost: list[HistogramRow]


class OverviewAnswer(msgspec.Struct, frozen=True):
    data: Overview
    error: None = None


class UserQueryParams(JsonBody, frozen=True, kw_only=True):
    """Without either, all users since records began."""

    userIds: Annotated[list[str], msgspec.Meta(max_length=MAX_LIMIT)] | None = None
    timeFilter: TimeFilter | None = None


class UserSum(msgspec.Struct, frozen=True, kw_only=True):
    """`count`: requests; `cost`: USD."""

    count: int
    prompt_tokens: int
    completion_tokens: int
    user_id: str
    cost: float


class UserAnswer(msgspec.Struct, frozen=True):
    data: list[UserSum]
    error: None = None


def metrics_result(row: UserRow, later: int) -> UserMetricsResult:
    """What one user's requests come to.

    `later`: by how many microseconds the asker's clock is behind UTC.
    """
    shown = {name: VALUE_OF[measure](row) for name, measure in MEASURES.items()}
    shown["first_active"] = iso_milliseconds(row.first_seen - later)
    shown["last_active"] = iso_milliseconds(row.last_seen - later)
    return UserMetricsResult(id=row.user or "", **shown)


def user_sum(row: UserRow) -> UserSum:
    """The short form of the same."""
    return UserSum(
        count=row.counts.requests,
        prompt_tokens=row.counts.prompt_tokens,
        completion_tokens=row.counts.completion_tokens,
        user_id=row.user or "",
        cost=usd(row.counts.cost),
    )
