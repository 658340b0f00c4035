"""Helicone's three endpoints about users.

A key asks about users of its own, a management key about everyone's; then two keys' users of one
name are two users.
"""

from aiohttp import web

from gateway.api.answers import json_answer
from gateway.api.context import Context, visible_tenants
from gateway.api.helicone.fields import MEASURES
from gateway.api.helicone.histogram import PERCENTILES, histogram
from gateway.api.helicone.question import Question, read_question
from gateway.api.helicone.records import (
    LAST_SECOND,
    MAX_LIMIT,
    Overview,
    OverviewAnswer,
    OverviewQueryParams,
    TimeFilter,
    UserAnswer,
    UserMetrics,
    UserMetricsAnswer,
    UserMetricsQueryParams,
    UserQueryParams,
    metrics_result,
    user_sum,
)
from gateway.api.helicone.user_search import user_search
from gateway.api.json_body import read_json_body
from gateway.api.ledger_view import read_ledger
from gateway.api.timespan import Timespan
from gateway.calendar import MINUTE, SECOND, whole_days
from gateway.calls.endpoint import Target
from gateway.calls.request import Request
from gateway.errors import BadRequest
from gateway.ledger.queries import SearchPage, UserQuery
from gateway.ledger.store import Store
from gateway.money import usd

_MAX_USERS = 100


async def query_metrics(context: Context, request: Request, target: Target) -> web.Response:
    """A page of users with what their requests come to."""
    tenants = visible_tenants(context.keyring.tenant(request))
    asked = read_json_body(request, UserMetricsQueryParams)
    if asked.limit > MAX_LIMIT:
        raise BadRequest(f"Limit cannot be greater than {MAX_LIMIT}", "limit")
    question = read_question(asked.filter, tenants, _span(asked.timeFilter))
    reading = await read_ledger(context)
    query = await user_search(context, reading.store, question)
    found = await reading.store.search_users(query, _page(asked))
    later = int(asked.timeZoneDifferenceMinutes * MINUTE)
    named = any(row.user for row in found.rows)
    metrics = UserMetrics(
        users=[metrics_result(row, later) for row in found.rows],
        count=found.count,
        hasUsers=named or await _has_users(context, reading.store, tenants),
    )
    return json_answer(UserMetricsAnswer(metrics), headers=reading.headers)


async def query_overview(context: Context, request: Request, target: Target) -> web.Response:
    """How requests and cost are distributed over the users that the filter keeps."""
    tenants = visible_tenants(context.keyring.tenant(request))
    asked = read_json_body(request, OverviewQueryParams)
    question = read_question(asked.filter, tenants, _span(None))
    reading = await read_ledger(context)
    query = await user_search(context, reading.store, question)
    have = await reading.store.distribution(query)
    upper = PERCENTILES[asked.pSize]
    lower = 1 - upper if asked.useInterquartile else None
    overview = Overview(
        request_count=histogram(have.requests, upper, lower, float),
        user_cost=histogram(have.cost, upper, lower, usd),
    )
    return json_answer(OverviewAnswer(overview), headers=reading.headers)


async def query_users(context: Context, request: Request, target: Target) -> web.Response:
    """Up to a hundred users, those who cost most first."""
    tenants = visible_tenants(context.keyring.tenant(request))
    asked = read_json_body(request, UserQueryParams)
    reading = await read_ledger(context)
    users = frozenset(asked.userIds) if asked.userIds else None
    question = Question(tenants=tenants, span=_span(asked.timeFilter), users=users)
    query = await user_search(context, reading.store, question)
    found = await reading.store.search_users(query, SearchPage(order="usd", limit=_MAX_USERS))
    return json_answer(UserAnswer([user_sum(row) for row in found.rows]), headers=reading.headers)


def _span(asked: TimeFilter | None) -> Timespan:
    if asked is None:
        return Timespan(0, LAST_SECOND * SECOND)
    since, until = asked.startTimeUnixSeconds, asked.endTimeUnixSeconds
    if until < since:
        raise BadRequest("timeFilter.endTimeUnixSeconds is before startTimeUnixSeconds")
    return Timespan(round(since * SECOND), round(until * SECOND))


def _page(asked: UserMetricsQueryParams) -> SearchPage:
    field, direction = next(iter(asked.sort.items()), ("last_active", "desc"))
    return SearchPage(
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
