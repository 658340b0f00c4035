"""The one shipper, on a thread of its own that makes way for the workers.

A pass takes milliseconds, and where a worker shares its core a request would wait for so long. So
the thread has the kernel's idle policy (sched(7)): it runs when nobody else wants to. Where others
want all of the CPU all of the time records would wait without an end; then a thread of the ordinary
policy takes its turn, until they do not. It is another thread each time, since one without
privileges can only lower itself.
"""

import asyncio
import itertools
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from gateway import config
from gateway.ledger.shipper import Shipper
from gateway.ledger.store import StoreUnavailable
from gateway.ledger.stores import open_store
from gateway.processes.turn import Manner, Turn

_LONGEST = 2.0
"""Seconds that records may wait for a thread that makes way."""

_MOST_HELD_UP = 0.5
"""Share of its time that it may be ready and not run: records wait for a slow store as well."""

_SHORTEST = 10.0
"""Seconds that one of the ordinary policy stays."""

_ENDING = 5.0
"""Seconds that the end waits for the store; what is not shipped stays in the journals."""

_PAUSE = 1.0
"""Seconds between a turn that failed and the next one."""

MAKING_WAY = Manner(
    os.SCHED_IDLE, lambda look: look.waited > _LONGEST and look.held_up > _MOST_HELD_UP
)
PRESSING = Manner(os.SCHED_OTHER, lambda look: look.lasted > _SHORTEST)

_log = logging.getLogger(__name__)


class Shipping:
    """Ships for all workers and forgets what is old, from `start` to `finish`.

    `ways` are the manners in which it takes turns, the first one first.
    """

    def __init__(
        self, section: config.Ledger, ways: tuple[Manner, ...] = (MAKING_WAY, PRESSING)
    ) -> None:
        self._section = section
        self._ways = itertools.cycle(ways)
        self._turn = Turn(section, next(self._ways))
        self._earlier_failures = 0
        self._is_over = asyncio.Event()
        self._work: asyncio.Task[None] | None = None

    @property
    def failures(self) -> int:
        """How often the store could not be reached, or the journals not be read."""
        return self._earlier_failures + self._turn.failures

    def start(self) -> None:
        """Begin, in the background."""
        self._work = asyncio.create_task(self._take_turns())

    async def finish(self) -> None:
        """Stop, and ship what some seconds allow: nobody is left to make way for."""
        self._is_over.set()
        self._turn.end()
        if self._work is not None:
            await self._work
            await self._ship_the_rest()

    def renew(self, section: config.Ledger) -> None:
        """Keep records for as long as `section` says now."""
        self._section = section
        self._turn.retain(section.retention)

    async def _take_turns(self) -> None:
        while True:
            turn = self._turn
            try:
                await _on_its_own_thread(turn)
            except Exception:  # noqa: BLE001  # the log says it, and the next turn may do better
                _log.exception("the shipper failed, and begins again")
                await self._pause()
            if self._is_over.is_set():
                return
            self._earlier_failures += turn.failures
            self._turn = Turn(self._section, next(self._ways), turn.expired_at)

    async def _ship_the_rest(self) -> None:
        section = self._section
        try:
            store = await open_store(section.url, section.retention)
        except StoreUnavailable as error:
            _log.warning("%s keeps records for the next start: %s", section.journal, error)
            return
        try:
            await Shipper(Path(section.journal), store).finish(_ENDING)
        finally:
            await store.close()

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_PAUSE):
                await self._is_over.wait()


async def _on_its_own_thread(turn: Turn) -> None:
    thread = ThreadPoolExecutor(1)
    try:
        await asyncio.get_running_loop().run_in_executor(thread, turn.take)
    finally:
        thread.shutdown(wait=False)
