"""`POST /analytics/query`, answered; management keys only."""

import asyncio
import time
from collections.abc import Mapping

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from gateway.api.answers import json_answer
from gateway.api.context import Context
from gateway.api.json_body import read_json_body
from gateway.api.ledger_view import read_ledger
from gateway.api.openrouter.analytics.query import (
    AnalyticsFilter,
    AnalyticsQuery,
    Value,
    check,
)
from gateway.api.openrouter.analytics.sources import Scope, read_rows
from gateway.api.openrouter.analytics.table import Cell, TableMaker
from gateway.calendar import SECOND
from gateway.calls.endpoint import Target
from gateway.calls.request import Request
from gateway.errors import RequestTimeout
from gateway.keys import Keyring

_TIMEOUT = 30.0
_HASH = 64


class Metadata(msgspec.Struct, frozen=True):
    query_time_ms: float
    row_count: int
    truncated: bool


class AnalyticsResult(msgspec.Struct, frozen=True):
    """A row has `date__<granularity>`, its dimensions and its metrics; USD, milliseconds, tokens a
    second, shares of 1."""

    data: list[dict[str, Cell]]
    metadata: Metadata
    warnings: list[str] | UnsetType = UNSET


class AnalyticsAnswer(msgspec.Struct, frozen=True):
    data: AnalyticsResult


async def query_analytics(context: Context, request: Request, target: Target) -> web.Response:
    """The table asked for, of all keys' calls."""
    tenant = context.keyring.manager(request)
    context.analytics.take(tenant.name, context.now())
    started = time.monotonic()
    asked = read_json_body(request, AnalyticsQuery)
    check(asked)
    query, warnings = _with_key_names(asked, context.keyring)
    reading = await read_ledger(context)
    now = int(context.now() * SECOND)
    scope = Scope(tenants=_only(query, "api_key_id"), user=_one_user(query), span=query.span(now))
    maker = TableMaker(query)
    retention = context.config.ledger.retention
    try:
        async with asyncio.timeout(_TIMEOUT):
            async for rows in read_rows(reading.store, query, scope, now, retention):
                await asyncio.to_thread(maker.add, rows)
    except TimeoutError:
        raise RequestTimeout("Operation timed out. Please try again later.") from None
    table = await asyncio.to_thread(maker.table)
    taken = round((time.monotonic() - started) * 1000, 3)
    metadata = Metadata(taken, len(table.rows), table.is_cut)
    result = AnalyticsResult(table.rows, metadata, warnings or UNSET)
    return json_answer(AnalyticsAnswer(result), headers=reading.headers)


def _with_key_names(query: AnalyticsQuery, keyring: Keyring) -> tuple[AnalyticsQuery, list[str]]:
    """Keys may be named by their SHA-256 in hex; and a warning about each that is no key's."""
    hashes = {
        value
        for each in query.filters
        if each.field == "api_key_id"
        for value in each.values
        if len(value) == _HASH
    }
    names = {value: name for value in hashes if (name := keyring.name_by_hash(value))}
    filters = [_renamed(each, names) for each in query.filters]
    warnings = [f"api_key_id: no key has the hash {value}" for value in hashes - names.keys()]
    return msgspec.structs.replace(query, filters=filters), sorted(warnings)


def _renamed(each: AnalyticsFilter, names: Mapping[str, str]) -> AnalyticsFilter:
    if each.field != "api_key_id":
        return each
    named: list[Value] = [names.get(value, value) for value in each.values]
    return msgspec.structs.replace(each, value=named if isinstance(each.value, list) else named[0])


def _only(query: AnalyticsQuery, field: str) -> frozenset[str] | None:
    """The values that the filters leave of a dimension; None when they leave any."""
    wanted = [each.values for each in query.filters if _is_positive(each, field)]
    return frozenset.intersection(*wanted) if wanted else None


def _is_positive(each: AnalyticsFilter, field: str) -> bool:
    return each.field == field and each.operator in ("eq", "in") and not each.include_unset


def _one_user(query: AnalyticsQuery) -> str | None:
    users = _only(query, "external_user")
    return next(iter(users)) if users and len(users) == 1 else None
