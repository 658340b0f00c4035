"""The one shipper, on a thread of its own that yields to the workers.

A pass takes milliseconds, and where a worker shares its core a request would wait for so long. So
the thread has the kernel's idle policy (sched(7)): it runs when nobody else wants to. Where others
want all of the CPU all of the time, records would wait without an end; then a thread of the
ordinary policy takes over for a while. It is another thread each time, since one without privileges
can only lower itself.
"""

import asyncio
import itertools
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from gateway import config
from gateway.ledger.backlog import Backlog
from gateway.ledger.opening import open_store
from gateway.ledger.shipper import Shipper
from gateway.ledger.store import StoreUnavailable
from gateway.processes.shipping_thread import Scheduling, ShippingThread

_MAX_WAIT = 2.0
"""Seconds that records may wait for a thread that yields."""

_MAX_STARVED = 0.5
"""Share of its time that it may be ready and not run: records wait for a slow store as well."""

_ORDINARY_FOR = 10.0
"""Seconds that a thread of the ordinary policy stays."""

_FINISH_WITHIN = 5.0
"""Seconds that the end waits for the store; what is not shipped stays in the journals."""

_PAUSE = 1.0
"""Seconds between a thread that failed and the next one."""

_IDLE: int = getattr(os, "SCHED_IDLE", os.SCHED_OTHER)
"""Linux alone has it; elsewhere a thread stays as it is."""

YIELDING = Scheduling(
    _IDLE, lambda sample: sample.waited > _MAX_WAIT and sample.starved > _MAX_STARVED
)
ORDINARY = Scheduling(os.SCHED_OTHER, lambda sample: sample.lasted > _ORDINARY_FOR)

_log = logging.getLogger(__name__)


class Shipping:
    """Ships for all workers and forgets what is old, from `start` to `finish`.

    `schedulings` are those of its threads, one after the other and from the first again.
    """

    def __init__(
        self, section: config.Ledger, schedulings: tuple[Scheduling, ...] = (YIELDING, ORDINARY)
    ) -> None:
        self._section = section
        self._backlog = Backlog(Path(section.journal))
        self._schedulings = itertools.cycle(schedulings)
        self._thread = ShippingThread(section, self._backlog, next(self._schedulings))
        self._earlier_failures = 0
        self._is_over = asyncio.Event()
        self._work: asyncio.Task[None] | None = None

    @property
    def failures(self) -> int:
        """How often the store could not be reached, or the journals not be read."""
        return self._earlier_failures + self._thread.failures

    def start(self) -> None:
        """Begin, in the background."""
        self._work = asyncio.create_task(self._ship())

    async def finish(self) -> None:
        """Stop, and ship what some seconds allow: nobody is left to yield to."""
        self._is_over.set()
        self._thread.stop()
        if self._work is not None:
            await self._work
            await self._ship_the_rest()

    def renew(self, section: config.Ledger) -> None:
        """Go on as `section` says now, in a new thread and with a new store."""
        if section != self._section:
            self._section = section
            self._thread.stop()

    async def _ship(self) -> None:
        while True:
            thread = self._thread
            try:
                await _run(thread)
            except Exception:  # noqa: BLE001  # the log says it, and the next thread may do better
                _log.exception("the shipper failed, and starts again")
                await self._pause()
            if self._is_over.is_set():
                return
            self._earlier_failures += thread.failures
            self._thread = self._after(thread)

    def _after(self, thread: ShippingThread) -> ShippingThread:
        """The next thread. What a new retention says is old is forgotten at once."""
        last_expiry = thread.last_expiry if thread.section == self._section else None
        return ShippingThread(self._section, self._backlog, next(self._schedulings), last_expiry)

    async def _ship_the_rest(self) -> None:
        section = self._section
        try:
            store = await open_store(section.url, section.retention)
        except StoreUnavailable as error:
            _log.warning("%s keeps records for the next start: %s", section.journal, error)
            return
        try:
            shipper = Shipper(Path(section.journal), store, backlog=self._backlog)
            await shipper.finish(_FINISH_WITHIN)
        finally:
            await store.close()

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_PAUSE):
                await self._is_over.wait()


async def _run(thread: ShippingThread) -> None:
    executor = ThreadPoolExecutor(1)
    try:
        await asyncio.get_running_loop().run_in_executor(executor, thread.run)
    finally:
        executor.shutdown(wait=False)
