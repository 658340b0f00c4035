"""How the providers are now: their part of the ring, their calls, when they were left alone."""

import math
import time
from collections.abc import Mapping
from typing import Literal

import msgspec

from gateway.dashboard.visit import Visit
from gateway.metrics.peers import states_in
from gateway.metrics.snapshot import ProviderState, merged
from gateway.routing.health_state import Cooldown
from gateway.routing.provider import Provider

State = Literal["takes calls", "coming back", "full", "drained", "out", "down"]
"""Out: it failed and is left alone for a while. Down: its probes fail. Drained: its weight is 0, so
it is nobody's home."""


class Absence(msgspec.Struct, frozen=True):
    """A time for which a provider was left alone: from when (microseconds since the epoch), for how
    many seconds (None: until its probe succeeds), and why."""

    at: int
    seconds: float | None
    reason: str


class Live(msgspec.Struct, frozen=True):
    """A provider as it is now, in all processes.

    `share` is its part of the ring, `ejections` how often it was left alone since the gateway began
    because calls failed, `last` the last time for any reason.
    """

    share: float
    weight: float
    in_flight: int
    max_in_flight: int
    state: State
    ejections: int
    last: Absence | None


async def read_live(visit: Visit) -> Mapping[str, Live]:
    """Each provider of the configuration."""
    pool, now = visit.context.router.pool(None), time.monotonic()
    shares = pool.ring.shares() if len(pool) else {}
    providers = visit.context.router.providers
    everywhere = merged(await visit.context.peers.snapshots())
    states = states_in(everywhere, providers.values(), now)
    return {
        name: Live(
            share=shares.get(name, 0.0),
            weight=provider.weight,
            in_flight=states[name].in_flight,
            max_in_flight=states[name].max_in_flight,
            state=_state(provider, states[name], now),
            ejections=everywhere.ejections.get(name, provider.health.ejected),
            last=_absence(provider.health.last_cooldown, visit.now - now),
        )
        for name, provider in providers.items()
    }


def _absence(cooldown: Cooldown | None, epoch: float) -> Absence | None:
    """`epoch`: what the wall clock said when the monotonic one began."""
    if cooldown is None:
        return None
    seconds = round(cooldown.until - cooldown.at, 3)
    at = round((cooldown.at + epoch) * 1_000_000)
    return Absence(at, None if math.isinf(seconds) else seconds, cooldown.reason)


def _state(provider: Provider, state: ProviderState, now: float) -> State:
    share = provider.health.returned_share(now)
    if provider.health.is_down:
        return "down"
    if share == 0:
        return "out"
    if provider.weight == 0:
        return "drained"
    if state.in_flight >= state.max_in_flight:
        return "full"
    return "takes calls" if share == 1 else "coming back"
