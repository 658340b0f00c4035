"""The providers: how they are now, what they did, and how warm their users are."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any, get_args

import msgspec

from gateway.api.query import read_choice
from gateway.api.user_row import counter_cells
from gateway.calendar import day_text, iso_moment
from gateway.dashboard.providers.live import Live, read_live
from gateway.dashboard.visit import Page, Table, Visit
from gateway.generation import Route
from gateway.ledger.counts import COUNTERS, Counts, total
from gateway.ledger.queries import ActivityQuery
from gateway.ledger.results import ActivityRow
from gateway.ledger.store import StoreUnavailable

PARAMETERS = ("key", "days", "format")
SPANS = ("1", "7", "30", "90")
ROUTES: tuple[Route, ...] = get_args(Route)

_LIVE = ("share", "weight", "in_flight", "max_in_flight", "state", "ejections")
_ABSENCE = ("left_alone_at", "left_alone_seconds", "left_alone_reason")
_COLUMNS = ("provider", *_LIVE, *_ABSENCE, *ROUTES, *COUNTERS)


class Row(msgspec.Struct, frozen=True):
    """A provider; one that only the ledger still knows is not `live`."""

    name: str
    counts: Counts
    routes: Mapping[str, int]
    live: Live | None


class Providers(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows. `problem`: why nobody knows what they did; None where it is there."""

    rows: Sequence[Row]
    days: str
    problem: str | None
    spans: Sequence[str] = SPANS
    routes: Sequence[Route] = ROUTES


async def show_providers(visit: Visit) -> Page | Table:
    """The page, or its table as CSV."""
    form = visit.form("csv")
    days, live = read_choice(visit.values, "days", SPANS, "7"), await read_live(visit)
    if form == "csv":
        rows = await _read_rows(visit, int(days), live)
        return Table(f"providers-{day_text(visit.today)}", _COLUMNS, _table(rows))
    try:
        rows, problem = await _read_rows(visit, int(days), live), None
    except StoreUnavailable as error:
        # How providers are now is no matter of the store, and asked for most when something fails.
        rows, problem = _rows((), live), error.message
    return Page("providers.html", Providers(rows=rows, days=days, problem=problem))


async def _read_rows(visit: Visit, days: int, live: Mapping[str, Live]) -> list[Row]:
    """With the counts of the last `days` days, today included."""
    store = await visit.context.ledger.fresh()
    query = ActivityQuery(
        since=visit.today - days + 1,
        until=visit.today,
        tenants=visit.tenants,
        by=frozenset({"route"}),
    )
    return await asyncio.to_thread(_rows, await store.activity(query), live)


def _rows(activity: Iterable[ActivityRow], live: Mapping[str, Live]) -> list[Row]:
    """The configured providers in their order, then those that only the ledger knows."""
    counts: dict[str, list[Counts]] = {}
    routes: Counter[tuple[str, str | None]] = Counter()
    for row in activity:
        if row.provider is not None:
            counts.setdefault(row.provider, []).append(row.counts)
            routes[row.provider, row.route] += row.counts.requests
    return [
        Row(
            name,
            total(counts.get(name, ())),
            {route: routes[name, route] for route in ROUTES},
            live.get(name),
        )
        for name in (*live, *sorted(counts.keys() - live.keys()))
    ]


async def _table(rows: Sequence[Row]) -> AsyncIterator[list[dict[str, Any]]]:
    yield [
        {
            "provider": row.name,
            **_live_cells(row.live),
            **row.routes,
            **counter_cells(row.counts),
        }
        for row in rows
    ]


def _live_cells(live: Live | None) -> dict[str, Any]:
    if live is None:
        return {}
    cells = {name: getattr(live, name) for name in _LIVE}
    if live.last is None:
        return cells
    values = (iso_moment(live.last.at), live.last.seconds, live.last.reason)
    return cells | dict(zip(_ABSENCE, values, strict=True))
