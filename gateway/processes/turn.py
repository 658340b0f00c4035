"""One thread's turn as the shipper, at a scheduling policy of its own.

The policy is set before anything else, as threads that the store starts get it from this one.
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
from gateway.ledger.keeper import Keeper, watch
from gateway.ledger.shipper import Shipper
from gateway.ledger.stores import open_store

_LOOK_EVERY = 0.5


_SCHEDSTAT = Path("/proc/thread-self/schedstat")


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """How a turn goes: seconds that records have `waited` and that it has `lasted`, and the share
    of the time since the last look in which the thread was `held_up`: ready, while others ran."""

    waited: float
    lasted: float
    held_up: float


class Manner(msgspec.Struct, frozen=True):
    """The scheduling `policy` of a turn, and by what the turn is over."""

    policy: int
    is_over: Callable[[Look], bool]


class Turn:
    """Made and ended by one thread, taken by another, which it occupies until it is over."""

    def __init__(self, section: config.Ledger, manner: Manner, expired_at: float = 0.0) -> None:
        self._section = section
        self._manner = manner
        self._expired_at = expired_at
        self._keeper: Keeper | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = asyncio.Event()
        self._is_ended = False

    @property
    def failures(self) -> int:
        """How often the store could not be reached, or the journals not be read."""
        return self._keeper.failures if self._keeper else 0

    @property
    def expired_at(self) -> float:
        """When it last forgot what is old, in seconds since the epoch."""
        return self._keeper.expired_at if self._keeper else self._expired_at

    def take(self) -> None:
        """Ship until it is over. Raises StoreUnavailable when the store cannot be opened."""
        if _SCHEDSTAT.exists():  # else nobody could tell that it starves
            with suppress(OSError):  # a sandbox may forbid it; the thread stays as it is
                os.sched_setscheduler(0, self._manner.policy, os.sched_param(0))
        uvloop.run(self._ship())

    def end(self) -> None:
        """Have it be over."""
        self._is_ended = True
        if self._loop is not None:
            with suppress(RuntimeError):  # over already
                self._loop.call_soon_threadsafe(self._ended.set)

    def retain(self, retention: config.Retention) -> None:
        """Forget what is older than this from now on."""
        self._section = msgspec.structs.replace(self._section, retention=retention)
        if self._keeper is not None:
            self._keeper.retention = retention

    async def _ship(self) -> None:
        self._loop = asyncio.get_running_loop()
        section = self._section
        folder = Path(section.journal)
        store = await open_store(section.url, section.retention)
        try:
            shipper = Shipper(folder, store)
            keeper = Keeper(shipper, section.retention, expired_at=self._expired_at)
            self._keeper = keeper
            keeper.start()
            watching = asyncio.create_task(watch(folder, shipper.notify))
            await self._until_over(shipper)
            watching.cancel()
            await keeper.stop()
        finally:
            await store.close()

    async def _until_over(self, shipper: Shipper) -> None:
        began = time.monotonic()
        last, held_up = began, _held_up()
        while not self._is_ended:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY):
                    await self._ended.wait()
            now, before = time.monotonic(), held_up
            held_up = _held_up()
            share = (held_up - before) / (now - last)
            if self._manner.is_over(Look(waited=shipper.waited, lasted=now - began, held_up=share)):
                return
            last = now


def _held_up() -> float:
    """Seconds in which this thread was ready and did not run, as far as the kernel tells
    (docs.kernel.org/scheduler/sched-stats.html)."""
    return int(_SCHEDSTAT.read_text().split()[1]) / 1e9 if _SCHEDSTAT.exists() else 0.0
