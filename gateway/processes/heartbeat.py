"""Whether each worker's event loop turns. One that hangs keeps its connections and serves nobody.

A worker says every second that it lives; the supervisor counts the seconds without a word by its
own ticks and not by a clock, so that a machine that slept, or a supervisor that was stopped, finds
no worker silent.
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from typing import Protocol

INTERVAL = 1.0
"""Seconds between two beats of a worker, and between two ticks of the supervisor."""

MAX_MISSED = 10
"""Ticks without a word after which a worker counts as hung."""

_log = logging.getLogger(__name__)


class Watched(Protocol):
    """A worker, as far as its heartbeat goes."""

    def missed(self) -> int:
        """Count a tick; how many there were since its last word."""

    def kill(self) -> None:
        """End it at once."""


async def beat(say: Callable[[], None]) -> None:
    """Have a worker say again and again that it lives, until cancelled."""
    while True:
        say()
        await asyncio.sleep(INTERVAL)


async def watch(workers: Collection[Watched], every: float = INTERVAL) -> None:
    """Kill every worker that hangs, until cancelled; whoever attends to it sees to the rest."""
    while True:
        await asyncio.sleep(every)
        for worker in list(workers):
            if worker.missed() == MAX_MISSED:
                _log.error(
                    "%r hangs: no word for %g seconds; it is killed", worker, MAX_MISSED * every
                )
                worker.kill()
