"""The shipper on one thread, under one scheduling policy of the kernel.

The policy is set before anything else, as threads that the store starts inherit it.
"""

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec
import uvloop

from gateway import config
from gateway.ledger.backlog import Backlog
from gateway.ledger.keeper import Expiry, Keeper, watch_journals
from gateway.ledger.opening import open_store
from gateway.ledger.shipper import Shipper

_SAMPLE_EVERY = 0.5
_SCHEDSTAT = Path("/proc/thread-self/schedstat")


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """How shipping goes: for how many seconds records have `waited` and the thread has `lasted`,
    and which share of the time since the last sample it was `starved`: ready, while others ran."""

    waited: float
    lasted: float
    starved: float


class Scheduling(msgspec.Struct, frozen=True):
    """A scheduling `policy` (sched(7)), and whether a thread that has it `is_over`."""

    policy: int
    is_over: Callable[[Sample], bool]


class ShippingThread:
    """`run` occupies the thread that calls it; everything else is for the thread that made this.

    `backlog`: of the journals, which goes from thread to thread, and so does `last_expiry`.
    """

    def __init__(
        self,
        section: config.Ledger,
        backlog: Backlog,
        scheduling: Scheduling,
        last_expiry: Expiry | None = None,
    ) -> None:
        self.section = section
        self._backlog = backlog
        self._scheduling = scheduling
        self._last_expiry = last_expiry
        self._keeper: Keeper | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = asyncio.Event()
        self._is_stopped = False

    @property
    def failures(self) -> int:
        """How often the store could not be reached, or the journals not be read."""
        return self._keeper.failures if self._keeper else 0

    @property
    def last_expiry(self) -> Expiry | None:
        """When what is old was last to be forgotten."""
        return self._keeper.last_expiry if self._keeper else self._last_expiry

    def run(self) -> None:
        """Ship until it is over. Raises StoreUnavailable when the store cannot be opened."""
        if _SCHEDSTAT.exists():  # else nobody could tell that it starves
            with suppress(OSError):  # a sandbox may forbid it; the thread stays as it is
                os.sched_setscheduler(0, self._scheduling.policy, os.sched_param(0))
        uvloop.run(self._ship())

    def stop(self) -> None:
        """Have `run` return soon."""
        self._is_stopped = True
        if self._loop is not None:
            with suppress(RuntimeError):  # over already
                self._loop.call_soon_threadsafe(self._stopped.set)

    async def _ship(self) -> None:
        self._loop = asyncio.get_running_loop()
        section = self.section
        folder = Path(section.journal)
        store = await open_store(section.url, section.retention)
        try:
            shipper = Shipper(folder, store, backlog=self._backlog)
            keeper = Keeper(shipper, section.retention, last_expiry=self._last_expiry)
            self._keeper = keeper
            keeper.start()
            watching = asyncio.create_task(watch_journals(folder, shipper.notify))
            await self._until_over(shipper)
            watching.cancel()
            await keeper.stop()
        finally:
            await store.close()

    async def _until_over(self, shipper: Shipper) -> None:
        began = last = time.monotonic()
        starved = _seconds_starved()
        while not self._is_stopped:
            with suppress(TimeoutError):
                async with asyncio.timeout(_SAMPLE_EVERY):
                    await self._stopped.wait()
            now, before = time.monotonic(), starved
            starved = _seconds_starved()
            share = (starved - before) / (now - last)
            sample = Sample(waited=shipper.waited, lasted=now - began, starved=share)
            if self._scheduling.is_over(sample):
                return
            last = now


def _seconds_starved() -> float:
    """For how long this thread was ready and did not run, as far as the kernel tells
    (docs.kernel.org/scheduler/sched-stats.html)."""
    return int(_SCHEDSTAT.read_text().split()[1]) / 1e9 if _SCHEDSTAT.exists() else 0.0
