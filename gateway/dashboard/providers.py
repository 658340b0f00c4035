"""The providers: their share of the ring, what they do now, and how warm their users are."""

import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from gateway.api.money import usd
from gateway.api.query import day_text
from gateway.dashboard.sums import total
from gateway.dashboard.visit import Page, Table, Visit
from gateway.errors import BadRequest
from gateway.generation import Route
from gateway.ledger.store import COUNTERS, ActivityQuery, Counts
from gateway.routing.provider import Provider

PARAMETERS = ("key", "days", "format")
SPANS = ("1", "7", "30", "90")
ROUTES: tuple[Route, ...] = ("home", "spill", "failover", "ramp", "unkeyed", "pinned")

State = Literal["takes calls", "coming back", "full", "out", "down"]
"""Out: it failed and is left alone for a while. Down: its probes fail."""


class Live(msgspec.Struct, frozen=True):
    """A provider as this process knows it now. `share` is its part of the ring."""

    share: float
    weight: float
    in_flight: int
    max_in_flight: int
    state: State


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
    rows = _rows(visit, {name: total(some) for name, some in counts.items()}, routes)
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
    visit: Visit, counts: Mapping[str, Counts], routes: Mapping[tuple[str, str | None], int]
) -> list[Row]:
    """The configured providers in their order, then those that only the ledger knows."""
    pool, now = visit.router.pool(None), time.monotonic()
    shares = pool.ring.shares() if len(pool) else {}
    live = {
        name: _live(provider, shares.get(name, 0.0), now)
        for name, provider in visit.router.providers.items()
    }
    return [
        Row(
            name,
            counts.get(name, Counts()),
            {route: routes.get((name, route), 0) for route in ROUTES},
            live.get(name),
        )
        for name in (*live, *sorted(counts.keys() - live.keys()))
    ]


def _live(provider: Provider, share: float, now: float) -> Live:
    return Live(
        share=share,
        weight=provider.weight,
        in_flight=provider.in_flight,
        max_in_flight=provider.max_in_flight,
        state=_state(provider, now),
    )


def _state(provider: Provider, now: float) -> State:
    share = provider.health.share_back(now)
    if provider.health.is_down:
        return "down"
    if share == 0:
        return "out"
    if not provider.available(now):
        return "full"
    return "takes calls" if share == 1 else "coming back"


_COLUMNS = ("provider", *Live.__struct_fields__, *ROUTES, *COUNTERS)


async def _table(rows: Sequence[Row]) -> AsyncIterator[list[dict[str, Any]]]:
    yield [
        {
            "provider": row.name,
            **(msgspec.structs.asdict(row.live) if row.live else {}),
            **row.routes,
            **msgspec.structs.asdict(row.counts),
            "cost": usd(row.counts.cost),
            "cache_discount": usd(row.counts.cache_discount),
            "move_cost": usd(row.counts.move_cost),
        }
        for row in rows
    ]
