"""Detecting workers whose event loop hangs: they keep their connections and serve nobody.

A worker sends a heartbeat every second. The supervisor counts its own ticks without one, and not
the seconds by a clock: so a machine that slept, or a supervisor that was stopped, does not take
workers for silent.
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from typing import Protocol

INTERVAL = 1.0
"""Seconds between two beats of a worker, and between two ticks of the supervisor."""

MAX_MISSED = 10
"""Ticks without a message after which a worker counts as hung."""

_log = logging.getLogger(__name__)


class Watched(Protocol):
    """The part of a worker process that heartbeats need."""

    def tick(self) -> int:
        """Count a tick; returns how many there were since the worker's last message."""

    def kill(self) -> None:
        """End it at once."""


async def beat(send: Callable[[], None]) -> None:
    """Send a heartbeat every `INTERVAL`, until cancelled."""
    while True:
        send()
        await asyncio.sleep(INTERVAL)


async def watch_heartbeats(workers: Collection[Watched], every: float = INTERVAL) -> None:
    """Kill every worker that hangs, until cancelled. The worker pool replaces it."""
    while True:
        await asyncio.sleep(every)
        for worker in list(workers):
            if worker.tick() == MAX_MISSED:
                _log.error(
                    "%r hangs: silent for %g seconds; it is killed", worker, MAX_MISSED * every
                )
                worker.kill()
