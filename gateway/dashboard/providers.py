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
from gateway.metrics.snapshot import ProviderState
from gateway.peers import states_of
from gateway.routing.provider import Provider

PARAMETERS = ("key", "days", "format")
SPANS = ("1", "7", "30", "90")
ROUTES: tuple[Route, ...] = ("home", "spill", "failover", "ramp", "unkeyed", "pinned")

State = Literal["takes calls", "coming back", "full", "out", "down"]
"""Out: it failed and is left alone for a while. Down: its probes fail."""


class Live(msgspec.Struct, frozen=True):
    """A provider as it is now, in all processes. `share` is its part of the ring."""

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
    live = await _all_live(visit)
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


async def _all_live(visit: Visit) -> Mapping[str, Live]:
    pool, now = visit.router.pool(None), time.monotonic()
    shares = pool.ring.shares() if len(pool) else {}
    providers = visit.router.providers
    states = await states_of(providers.values(), visit.context.peers, now)
    return {
        name: _live(provider, states[name], shares.get(name, 0.0), now)
        for name, provider in providers.items()
    }


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


def _live(provider: Provider, state: ProviderState, share: float, now: float) -> Live:
    return Live(
        share=share,
        weight=provider.weight,
        in_flight=state.in_flight,
        max_in_flight=state.max_in_flight,
        state=_state(provider, state, now),
    )


def _state(provider: Provider, state: ProviderState, now: float) -> State:
    share = provider.health.share_back(now)
    if provider.health.is_down:
        return "down"
    if share == 0:
        return "out"
    if state.in_flight >= state.max_in_flight:
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
