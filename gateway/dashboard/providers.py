"""The providers: how they are now, what they did, and how warm their users are."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import msgspec

from gateway.api.money import usd
from gateway.calendar import day_text, iso_moment
from gateway.dashboard.live import Live, read_live
from gateway.dashboard.sums import total
from gateway.dashboard.visit import Page, Table, Visit
from gateway.errors import BadRequest
from gateway.generation import Route
from gateway.ledger.store import COUNTERS, ActivityQuery, Counts

PARAMETERS = ("key", "days", "format")
SPANS = ("1", "7", "30", "90")
ROUTES: tuple[Route, ...] = ("home", "spill", "failover", "ramp", "unkeyed", "pinned")


class Row(msgspec.Struct, frozen=True):
    """A provider; one that only the ledger still knows is not `live`."""

    name: str
    counts: Counts
    routes: Mapping[str, int]
    live: Live | None


async def show_providers(visit: Visit) -> Page | Table:
    """The page, or its table as CSV."""
    days = visit.values.get("days", "7")
    if days not in SPANS:
        raise BadRequest(f"Parameter `days` must be one of {', '.join(SPANS)}", "days")
    store = await visit.context.ledger.fresh()
    since = visit.today - int(days) + 1
    activity = await store.activity(
        ActivityQuery(
            since=since, until=visit.today, tenants=visit.tenants, by=frozenset({"route"})
        )
    )
    counts: dict[str, list[Counts]] = {}
    routes: Counter[tuple[str, str | None]] = Counter()
    for row in activity:
        if row.provider is not None:
            counts.setdefault(row.provider, []).append(row.counts)
            routes[row.provider, row.route] += row.counts.requests
    live = await read_live(visit)
    rows = _rows({name: total(some) for name, some in counts.items()}, routes, live)
    if visit.values.get("format") == "csv":
        return Table(f"providers-{day_text(visit.today)}", _COLUMNS, _table(rows))
    shown: Mapping[str, Any] = {
        "rows": rows,
        "days": days,
        "spans": SPANS,
        "routes": ROUTES,
    }
    return Page("providers.html", shown)


def _rows(
    counts: Mapping[str, Counts],
    routes: Mapping[tuple[str, str | None], int],
    live: Mapping[str, Live],
) -> list[Row]:
    """The configured providers in their order, then those that only the ledger knows."""
    return [
        Row(
            name,
            counts.get(name, Counts()),
            {route: routes.get((name, route), 0) for route in ROUTES},
            live.get(name),
        )
        for name in (*live, *sorted(counts.keys() - live.keys()))
    ]


_LIVE = ("share", "weight", "in_flight", "max_in_flight", "state", "ejections")
_ABSENCE = ("left_alone_at", "left_alone_seconds", "left_alone_reason")
_COLUMNS = ("provider", *_LIVE, *_ABSENCE, *ROUTES, *COUNTERS)


async def _table(rows: Sequence[Row]) -> AsyncIterator[list[dict[str, Any]]]:
    yield [
        {
            "provider": row.name,
            **_live_cells(row.live),
            **row.routes,
            **msgspec.structs.asdict(row.counts),
            "cost": usd(row.counts.cost),
            "cache_discount": usd(row.counts.cache_discount),
            "move_cost": usd(row.counts.move_cost),
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
