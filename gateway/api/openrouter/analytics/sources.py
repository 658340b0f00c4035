"""Where the rows for a query come from: the coarsest source that suffices.

Days and hours are kept as counts. What only single requests have (percentiles, minutes, finish
reasons, and the rest of a time that is not of whole days or hours) is read from those, which are
kept for `ledger.retention.generations`.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Literal

import msgspec

from gateway import config
from gateway.api.days import read_days
from gateway.api.openrouter.analytics.dimensions import DIMENSIONS, Row
from gateway.api.openrouter.analytics.metrics import METRICS
from gateway.api.openrouter.analytics.query import AnalyticsQuery
from gateway.api.requests import read_requests
from gateway.api.timespan import Timespan, cut_kept
from gateway.calendar import DAY, HOUR
from gateway.ledger.queries import ActivityQuery, Dimension, GenerationQuery, UserOrder, UserQuery
from gateway.ledger.store import Store

_ORDERS: dict[str, UserOrder] = {
    "total_usage": "cost",
    "request_count": "requests",
    "tokens_total": "tokens",
    "error_count": "errors",
    "flag_count": "flags",
}


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Which records: of `tenants` (None: of all), of `user` if one is named, within `span`."""

    tenants: frozenset[str] | None
    user: str | None
    span: Timespan


async def read_rows(
    store: Store, query: AnalyticsQuery, scope: Scope, now: int, retention: config.Retention
) -> AsyncIterator[Sequence[Row]]:
    """The rows that the answer is made of; BadRequest when they are too many."""
    source = _source(query)
    if source == "requests":
        async for page in _requests(store, scope, scope.span):
            yield page
        return
    unit = DAY if source == "days" else HOUR
    pieces = cut_kept(scope.span, unit, now, retention)
    if pieces.units is not None:
        if source == "hours":
            yield await store.hours(*pieces.units, scope.tenants)
        elif not pieces.ends and (leaders := _leaders(query, scope, *pieces.units)):
            yield await store.users(leaders)
        else:
            yield await _days(store, query, scope, *pieces.units)
    for end in pieces.ends:
        async for page in _requests(store, scope, end):
            yield page


def _source(query: AnalyticsQuery) -> Literal["requests", "hours", "days"]:
    dimensions = [DIMENSIONS[name] for name in query.fields]
    single = any(METRICS[name].single for name in query.metrics)
    if single or query.granularity == "minute" or not all(each.daily for each in dimensions):
        return "requests"
    if query.granularity == "hour":
        return "hours" if all(each.hourly for each in dimensions) else "requests"
    return "days"


async def _requests(store: Store, scope: Scope, span: Timespan) -> AsyncIterator[Sequence[Row]]:
    query = GenerationQuery(
        tenants=scope.tenants, user=scope.user, since=span.since, until=span.until
    )
    async for page in read_requests(store, query):
        yield page


def _leaders(query: AnalyticsQuery, scope: Scope, since: int, until: int) -> UserQuery | None:
    """The query for the first users alone, which takes no longer with more users; None if that is
    not what was asked.

    Of one key, or of each apart: two keys' users of one name are added up otherwise.
    """
    field = query.order_by.field if query.order_by else query.metrics[0]
    is_all = query.fields <= {"external_user", "api_key_id"} and "external_user" in query.dimensions
    is_one = len(scope.tenants or ()) == 1 or "api_key_id" in query.dimensions
    is_down = query.order_by is None or query.order_by.direction == "desc"
    is_plain = query.granularity is None and all(
        each.field == "api_key_id" and each.operator in ("eq", "in") for each in query.filters
    )
    if not (is_all and is_one and is_down and is_plain and field in _ORDERS):
        return None
    return UserQuery(
        since=since,
        until=until,
        tenants=scope.tenants,
        user=scope.user,
        order=_ORDERS[field],
        limit=query.limit + 1,
    )


async def _days(
    store: Store, query: AnalyticsQuery, scope: Scope, since: int, until: int
) -> Sequence[Row]:
    names: dict[str, Dimension] = {
        "api_key_id": "tenant",
        "external_user": "user",
        "route": "route",
    }
    by = frozenset(names[name] for name in query.fields if name in names)
    named = None if scope.user is None else frozenset((scope.user,))
    return await read_days(
        store, ActivityQuery(since=since, until=until, tenants=scope.tenants, users=named, by=by)
    )
