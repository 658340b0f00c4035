"""Whether each worker's event loop turns. One that hangs holds its connections and serves nobody.

A worker says that it lives, the supervisor counts how often it looked and had heard nothing. It
counts looks and not seconds, so that a machine that slept, or a supervisor that was stopped, finds
no worker silent.
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from typing import Protocol

EVERY = 1.0
"""Seconds between two words of a worker, and between two looks."""

LONGEST = 10
"""Looks without a word after which a worker counts as hung."""

_log = logging.getLogger(__name__)


class Watched(Protocol):
    """A worker, as far as its pulse goes."""

    def missed(self) -> int:
        """A look has come; how many there were since its last word."""

    def kill(self) -> None:
        """End it at once."""


async def beat(say: Callable[[], None]) -> None:
    """Have a worker say again and again that it lives, until cancelled."""
    while True:
        say()
        await asyncio.sleep(EVERY)


async def watch(workers: Collection[Watched], every: float = EVERY) -> None:
    """Kill every worker that hangs, until cancelled; whoever attends to it sees to the rest."""
    while True:
        await asyncio.sleep(every)
        for worker in list(workers):
            if worker.missed() == LONGEST:
                _log.error(
                    "%r hangs: no word for %g seconds; it is killed", worker, LONGEST * every
                )
                worker.kill()
