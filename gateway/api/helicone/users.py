"""Helicone's three questions about users, with its fields, limits and envelope.

docs.helicone.ai/rest/user: post-v1usermetricsquery, post-v1usermetrics-overviewquery,
post-v1userquery. A key asks about users of its own, a management key about everyone's; then two
keys' users of one name are two users.
"""

from typing import Annotated, Literal

import msgspec
from aiohttp import web

from gateway.api.answers import json_answer
from gateway.api.asked import Asked, read_asked
from gateway.api.context import Context, visible_tenants
from gateway.api.helicone.filters import MEASURES, Filter
from gateway.api.helicone.histogram import PERCENTILES, HistogramRow, histogram
from gateway.api.helicone.people import crowd_query
from gateway.api.helicone.question import Question, read_question
from gateway.api.money import usd
from gateway.api.reading import read_ledger
from gateway.api.timespan import Timespan
from gateway.calendar import MINUTE, SECOND, iso_milliseconds, whole_days
from gateway.endpoint import Target
from gateway.errors import BadRequest
from gateway.ledger import gathered
from gateway.ledger.store import CrowdPage, Store, UserQuery, UserRow
from gateway.request import Request

MOST = 1000
_MOST_USERS = 100
_END = 253_402_300_799  # the last second that has a calendar year of four digits

UnixSeconds = Annotated[float, msgspec.Meta(ge=0, le=_END)]
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


class TimeFilter(Asked, frozen=True, kw_only=True):
    """From the one to before the other."""

    startTimeUnixSeconds: UnixSeconds
    endTimeUnixSeconds: UnixSeconds


class UserMetricsQueryParams(Asked, frozen=True, kw_only=True):
    """`sort`: by its first field; without one the latest active come first."""

    filter: Filter
    offset: Annotated[int, msgspec.Meta(ge=0, le=10**9)]
    limit: Annotated[int, msgspec.Meta(ge=0, extra_json_schema={"maximum": MOST})]
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


class OverviewQueryParams(Asked, frozen=True, kw_only=True):
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


class UserQueryParams(Asked, frozen=True, kw_only=True):
    """Both absent: everyone, ever."""

    userIds: Annotated[list[str], msgspec.Meta(max_length=MOST)] | None = None
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


async def query_metrics(context: Context, request: Request, target: Target) -> web.Response:
    """A page of users with what their requests come to."""
    tenants = visible_tenants(context.keyring.tenant(request))
    asked = read_asked(request, UserMetricsQueryParams)
    if asked.limit > MOST:
        raise BadRequest(f"Limit cannot be greater than {MOST}", "limit")
    question = read_question(asked.filter, tenants, _span(asked.timeFilter))
    reading = await read_ledger(context)
    query = await crowd_query(context, reading.store, question)
    found = await reading.store.crowd(query, _page(asked))
    later = int(asked.timeZoneDifferenceMinutes * MINUTE)
    named = any(row.user for row in found.rows)
    metrics = UserMetrics(
        users=[_result(row, later) for row in found.rows],
        count=found.count,
        hasUsers=named or await _has_users(context, reading.store, tenants),
    )
    return json_answer(UserMetricsAnswer(metrics), headers=reading.headers)


async def query_overview(context: Context, request: Request, target: Target) -> web.Response:
    """How requests and cost spread over the users that are meant."""
    tenants = visible_tenants(context.keyring.tenant(request))
    asked = read_asked(request, OverviewQueryParams)
    question = read_question(asked.filter, tenants, _span(None))
    reading = await read_ledger(context)
    query = await crowd_query(context, reading.store, question)
    have = await reading.store.quantities(query)
    upper = PERCENTILES[asked.pSize]
    lower = 1 - upper if asked.useInterquartile else None
    overview = Overview(
        request_count=histogram(have.requests, upper, lower, float),
        user_cost=histogram(have.cost, upper, lower, usd),
    )
    return json_answer(OverviewAnswer(overview), headers=reading.headers)


async def query_users(context: Context, request: Request, target: Target) -> web.Response:
    """Up to a hundred users, who cost most first."""
    tenants = visible_tenants(context.keyring.tenant(request))
    asked = read_asked(request, UserQueryParams)
    reading = await read_ledger(context)
    users = frozenset(asked.userIds) if asked.userIds else None
    question = Question(tenants=tenants, span=_span(asked.timeFilter), users=users)
    query = await crowd_query(context, reading.store, question)
    found = await reading.store.crowd(query, CrowdPage(order="usd", limit=_MOST_USERS))
    return json_answer(UserAnswer([_sum(row) for row in found.rows]), headers=reading.headers)


def _span(asked: TimeFilter | None) -> Timespan:
    if asked is None:
        return Timespan(0, _END * SECOND)
    since, until = asked.startTimeUnixSeconds, asked.endTimeUnixSeconds
    if until < since:
        raise BadRequest("timeFilter.endTimeUnixSeconds is before startTimeUnixSeconds")
    return Timespan(round(since * SECOND), round(until * SECOND))


def _page(asked: UserMetricsQueryParams) -> CrowdPage:
    field, direction = next(iter(asked.sort.items()), ("last_active", "desc"))
    return CrowdPage(
        order=MEASURES["user_id" if field == "id" else field],
        ascending=direction == "asc",
        limit=asked.limit,
        offset=asked.offset,
    )


async def _has_users(context: Context, store: Store, tenants: frozenset[str] | None) -> bool:
    """Whether anyone with an id is on record; each key has at most one row without."""
    today = whole_days(context.now())
    kept = whole_days(context.config.ledger.retention.activity)
    limit = len(context.config.keys) + 2
    rows = await store.users(
        UserQuery(since=today - kept, until=today, tenants=tenants, order="requests", limit=limit)
    )
    return any(row.user for row in rows)


def _result(row: UserRow, later: int) -> UserMetricsResult:
    """`later`: by how many microseconds the asker's clock is behind UTC."""
    shown = {name: gathered.MEASURES[measure](row) for name, measure in MEASURES.items()}
    shown["first_active"] = iso_milliseconds(row.first_seen - later)
    shown["last_active"] = iso_milliseconds(row.last_seen - later)
    return UserMetricsResult(id=row.user or "", **shown)


def _sum(row: UserRow) -> UserSum:
    return UserSum(
        count=row.counts.requests,
        prompt_tokens=row.counts.prompt_tokens,
        completion_tokens=row.counts.completion_tokens,
        user_id=row.user or "",
        cost=usd(row.counts.cost),
    )
