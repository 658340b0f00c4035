"""All end users of a month: who costs, who fails, who is flagged, and everyone in a grid."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import msgspec
from markupsafe import Markup

from gateway.api.helicone.histogram import PERCENTILES
from gateway.api.query import read_choice, read_int
from gateway.api.user_row import USER_TOTALS, user_row
from gateway.calendar import month_of, month_text
from gateway.dashboard.formats import month_name
from gateway.dashboard.users.month import read_month
from gateway.dashboard.users.spreads import (
    QUARTERS,
    Ranks,
    cost_bars,
    request_bars,
)
from gateway.dashboard.visit import Page, Table, Visit
from gateway.ledger.queries import LeaderboardOrder, LeaderboardQuery
from gateway.ledger.results import UserRow
from gateway.ledger.store import Store

PARAMETERS = (
    *("month", "key", "search", "sort", "direction", "page", "percentile", "middle", "format"),
)

BOARDS: tuple[LeaderboardOrder, ...] = ("cost", "errors", "flags")

_ROWS = 50
_BOARD = 5
_MAX_ROWS = 10_000
"""Rows that can be reached page by page, and that a CSV has; who looks for one further searches."""

_PIECE = 1000


class Column(msgspec.Struct, frozen=True):
    """A column of the grid; `order` is what sorting by it is called."""

    title: str
    order: LeaderboardOrder


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


class Users(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows. `months`: the one before and the one after; `page` counts from 1.

    `is_cut`: there are more users, whom no page reaches.
    """

    month_name: str
    months: Sequence[str]
    has_next_month: bool
    query: LeaderboardQuery
    columns: Sequence[Column] = COLUMNS
    rows: Sequence[UserRow]
    page: int
    has_more: bool
    is_cut: bool
    boards: Mapping[str, Sequence[UserRow]]
    percentile: str
    percentiles: Sequence[str] = tuple(PERCENTILES)
    middle: bool
    request_chart: Markup | None
    cost_chart: Markup | None


async def show_users(visit: Visit) -> Page | Table:
    """The page, or its grid as CSV."""
    query, form = _query(visit), visit.form("csv")
    store = await visit.context.ledger.fresh()
    month = month_text(query.month)
    if form == "csv":
        beyond = msgspec.structs.replace(query, limit=1, offset=_MAX_ROWS)
        part = f"-first-{_MAX_ROWS}" if await store.leaderboard(beyond) else ""
        return Table(f"users-{month}{part}", USER_TOTALS, _table(store, query))
    percentile = read_choice(visit.values, "percentile", PERCENTILES, "p75")
    middle = visit.values.get("middle") == "true"
    rows = await store.leaderboard(msgspec.structs.replace(query, limit=_ROWS + 1))
    is_within_reach = query.offset + _ROWS < _MAX_ROWS
    spread = await store.spread(query.month, query.tenants)
    ranks: Ranks = QUARTERS if middle else (0.0, PERCENTILES[percentile])
    users = Users(
        month_name=month_name(query.month),
        months=[month_text(query.month + step) for step in (-1, 1)],
        has_next_month=query.month < month_of(visit.today),
        query=query,
        rows=rows[:_ROWS],
        page=query.offset // _ROWS + 1,
        has_more=len(rows) > _ROWS and is_within_reach,
        is_cut=len(rows) > _ROWS and not is_within_reach,
        boards=await _boards(store, query),
        percentile=percentile,
        middle=middle,
        request_chart=await request_bars(spread.requests, ranks),
        cost_chart=await cost_bars(spread.cost, ranks),
    )
    return Page("users.html", users)


def _query(visit: Visit) -> LeaderboardQuery:
    values = visit.values
    page = read_int(values, "page", default=1, maximum=_MAX_ROWS // _ROWS)
    orders = [column.order for column in COLUMNS]
    return LeaderboardQuery(
        month=read_month(values.get("month"), visit.today),
        tenants=visit.tenants,
        prefix=values.get("search", ""),
        order=read_choice(values, "sort", orders, "user" if "search" in values else "cost"),
        ascending=values.get("direction") == "up",
        offset=(page - 1) * _ROWS,
    )


async def _boards(store: Store, query: LeaderboardQuery) -> dict[str, Sequence[UserRow]]:
    """The first of the month by each of three measures, whatever the grid is sorted by."""
    boards: dict[str, Sequence[UserRow]] = {}
    for order in BOARDS:
        top = LeaderboardQuery(month=query.month, tenants=query.tenants, limit=_BOARD, order=order)
        boards[order] = await store.leaderboard(top)
    return boards


async def _table(store: Store, query: LeaderboardQuery) -> AsyncIterator[list[dict[str, Any]]]:
    """The first rows of the grid, in its order and with its search."""
    for offset in range(0, _MAX_ROWS, _PIECE):
        rows = await store.leaderboard(msgspec.structs.replace(query, limit=_PIECE, offset=offset))
        yield [user_row(row) for row in rows]
        if len(rows) < _PIECE:
            return
