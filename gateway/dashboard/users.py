"""All end users of a month: who costs, who fails, who is flagged, and everyone in a grid."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from gateway.api.query import read_int
from gateway.api.users import USER_TOTALS, user_row
from gateway.calendar import month_of
from gateway.dashboard.spreads import PERCENTILES, QUARTERS, cost_bars, request_bars
from gateway.dashboard.visit import Page, Table, Visit
from gateway.errors import BadRequest
from gateway.ledger.store import StandingsOrder, StandingsQuery, Store, UserRow

PARAMETERS = (
    *("month", "key", "search", "sort", "direction", "page", "percentile", "middle", "format"),
)

BOARDS: tuple[StandingsOrder, ...] = ("cost", "errors", "flags")

_ROWS = 50
_BOARD = 5
_DEEPEST = 10_000
"""Rows that can be reached page by page, and that a CSV has; who looks for one further searches."""

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


class Column(msgspec.Struct, frozen=True):
    """A column of the grid; `order` is what sorting by it is called."""

    title: str
    order: StandingsOrder


COLUMNS = (
    Column("User ID", "user"),
    Column("Active For", "active_days"),
    Column("Last Active", "last_seen"),
    Column("Requests", "requests"),
    Column("Avg Reqs / Day", "requests_per_day"),
    Column("Avg Tokens / Req", "tokens_per_request"),
    Column("Latency", "latency"),
    Column("Errors", "errors"),
    Column("Flags", "flags"),
    Column("Total Cost", "cost"),
)


async def show_users(visit: Visit) -> Page | Table:
    """The page, or its grid as CSV."""
    query = _query(visit)
    store = await visit.context.ledger.fresh()
    month = month_text(query.month)
    if visit.values.get("format") == "csv":
        return Table(f"users-{month}", USER_TOTALS, _table(store, query))
    rows = await store.standings(msgspec.structs.replace(query, limit=_ROWS + 1))
    shown: Mapping[str, Any] = {
        "month_name": _month_name(query.month),
        "months": [month_text(query.month + step) for step in (-1, 1)],
        "has_next_month": query.month < month_of(visit.today),
        "query": query,
        "columns": COLUMNS,
        "rows": rows[:_ROWS],
        "page": query.offset // _ROWS + 1,
        "has_more": len(rows) > _ROWS and query.offset + _ROWS < _DEEPEST,
        "boards": await _boards(store, query),
        **await _spreads(visit, store, query),
    }
    return Page("users.html", shown)


def _query(visit: Visit) -> StandingsQuery:
    values = visit.values
    page = read_int(values, "page", default=1, maximum=_DEEPEST // _ROWS)
    return StandingsQuery(
        month=_month(values.get("month"), visit.today),
        tenants=visit.tenants,
        prefix=values.get("search", ""),
        order=_order(values.get("sort", "user" if "search" in values else "cost")),
        ascending=values.get("direction") == "up",
        offset=(page - 1) * _ROWS,
    )


def _order(sort: str) -> StandingsOrder:
    for column in COLUMNS:
        if column.order == sort:
            return column.order
    known = ", ".join(column.order for column in COLUMNS)
    raise BadRequest(f"Parameter `sort` must be one of {known}", "sort")


def _month(text: str | None, today: int) -> int:
    if text is None:
        return month_of(today)
    match = _MONTH.fullmatch(text)
    if match is None or not 1970 <= int(match[1]) < 9999:
        raise BadRequest("Parameter `month` must be a month as YYYY-MM", "month")
    return (int(match[1]) - 1970) * 12 + int(match[2]) - 1


def month_text(month: int) -> str:
    """YYYY-MM."""
    return date(1970 + month // 12, month % 12 + 1, 1).isoformat()[:7]


def _month_name(month: int) -> str:
    """`November 2026`."""
    return f"{date(1970 + month // 12, month % 12 + 1, 1):%B %Y}"


async def _boards(store: Store, query: StandingsQuery) -> dict[str, Sequence[UserRow]]:
    """The first of the month by each of three measures, whatever the grid is sorted by."""
    boards: dict[str, Sequence[UserRow]] = {}
    for order in BOARDS:
        top = StandingsQuery(month=query.month, tenants=query.tenants, limit=_BOARD, order=order)
        boards[order] = await store.standings(top)
    return boards


async def _spreads(visit: Visit, store: Store, query: StandingsQuery) -> dict[str, Any]:
    percentile = visit.values.get("percentile", "p75")
    if percentile not in PERCENTILES:
        known = ", ".join(PERCENTILES)
        raise BadRequest(f"Parameter `percentile` must be one of {known}", "percentile")
    middle = visit.values.get("middle") == "true"
    ranks = QUARTERS if middle else (0.0, PERCENTILES[percentile])
    spread = await store.spread(query.month, query.tenants)
    return {
        "percentile": percentile,
        "percentiles": tuple(PERCENTILES),
        "middle": middle,
        "request_chart": await request_bars(spread.requests, ranks),
        "cost_chart": await cost_bars(spread.cost, ranks),
    }


async def _table(store: Store, query: StandingsQuery) -> AsyncIterator[list[dict[str, Any]]]:
    """The first rows of the grid, in its order and with its search."""
    for offset in range(0, _DEEPEST, 1000):
        rows = await store.standings(msgspec.structs.replace(query, limit=1000, offset=offset))
        yield [user_row(row) for row in rows]
        if len(rows) < 1000:
            return
