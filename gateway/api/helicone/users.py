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
from gateway.api.helicone.filters import OF_USERS, Filter
from gateway.api.helicone.histogram import PERCENTILES, HistogramRow, histogram
from gateway.api.helicone.people import read_people
from gateway.api.helicone.question import Question, read_question
from gateway.api.money import usd
from gateway.api.reading import read_ledger
from gateway.api.times import iso_milliseconds
from gateway.api.timespan import Timespan
from gateway.endpoint import Target
from gateway.errors import BadRequest
from gateway.ledger.store import Store, UserQuery, UserRow
from gateway.request import Request

MOST = 1000
_MOST_USERS = 100
_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
_DAY = 86400
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
    rows = _sorted(await read_people(context, reading.store, question), asked.sort)
    page = rows[asked.offset : asked.offset + asked.limit]
    later = int(asked.timeZoneDifferenceMinutes * _MINUTE)
    metrics = UserMetrics(
        users=[_result(row, later) for row in page],
        count=len(rows),
        hasUsers=any(row.user for row in rows) or await _has_users(context, reading.store, tenants),
    )
    return json_answer(UserMetricsAnswer(metrics), headers=reading.headers)


async def query_overview(context: Context, request: Request, target: Target) -> web.Response:
    """How requests and cost spread over the users that are meant."""
    tenants = visible_tenants(context.keyring.tenant(request))
    asked = read_asked(request, OverviewQueryParams)
    question = read_question(asked.filter, tenants, _span(None))
    reading = await read_ledger(context)
    rows = await read_people(context, reading.store, question)
    upper = PERCENTILES[asked.pSize]
    lower = 1 - upper if asked.useInterquartile else None
    overview = Overview(
        request_count=histogram([row.counts.requests for row in rows], upper, lower),
        user_cost=histogram([usd(row.counts.cost) for row in rows], upper, lower),
    )
    return json_answer(OverviewAnswer(overview), headers=reading.headers)


async def query_users(context: Context, request: Request, target: Target) -> web.Response:
    """Up to a hundred users, who cost most first."""
    tenants = visible_tenants(context.keyring.tenant(request))
    asked = read_asked(request, UserQueryParams)
    reading = await read_ledger(context)
    question = Question(tenants=tenants, span=_span(asked.timeFilter))
    wanted = asked.userIds or []
    if len(wanted) == 1:
        question = msgspec.structs.replace(question, user=wanted[0])
    rows = await read_people(context, reading.store, question)
    if wanted:
        rows = [row for row in rows if (row.user or "") in set(wanted)]
    rows.sort(key=lambda row: (-row.counts.cost, row.tenant, row.user or ""))
    return json_answer(
        UserAnswer([_sum(row) for row in rows[:_MOST_USERS]]), headers=reading.headers
    )


def _span(asked: TimeFilter | None) -> Timespan:
    if asked is None:
        return Timespan(0, _END * _SECOND)
    since, until = asked.startTimeUnixSeconds, asked.endTimeUnixSeconds
    if until < since:
        raise BadRequest("timeFilter.endTimeUnixSeconds is before startTimeUnixSeconds")
    return Timespan(round(since * _SECOND), round(until * _SECOND))


def _sorted(rows: list[UserRow], sort: dict[SortField, Literal["asc", "desc"]]) -> list[UserRow]:
    """Equals by tenant and id, so that pages do not overlap."""
    field, direction = next(iter(sort.items()), ("last_active", "desc"))
    value = OF_USERS["user_id" if field == "id" else field]
    rows.sort(key=lambda row: (row.tenant, row.user or ""))
    return sorted(rows, key=value, reverse=direction == "desc")


async def _has_users(context: Context, store: Store, tenants: frozenset[str] | None) -> bool:
    """Whether anyone with an id is on record; each key has at most one row without."""
    today = int(context.now()) // _DAY
    kept = int(context.config.ledger.retention.activity) // _DAY
    limit = len(context.config.keys) + 2
    rows = await store.users(
        UserQuery(since=today - kept, until=today, tenants=tenants, order="requests", limit=limit)
    )
    return any(row.user for row in rows)


def _result(row: UserRow, later: int) -> UserMetricsResult:
    """`later`: by how many microseconds the asker's clock is behind UTC."""
    shown = {name: value(row) for name, value in OF_USERS.items()}
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
