"""The shipper: brings what the journals hold to the store, in order and in batches.

Every process has one; a lock in the folder lets one at a time ship, for all writers of the folder,
live or dead. The lock only saves work. That each record counts once is the store's doing: it
skips what lies at or below its writer's position.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec

from gateway.ledger import fallback
from gateway.ledger.backlog import Backlog, Batch, Waiting
from gateway.ledger.lock import exclusive
from gateway.ledger.store import Store, StoreUnavailable

_log = logging.getLogger(__name__)


class Lag(msgspec.Struct, frozen=True, kw_only=True):
    """How far the store is behind the journals.

    `waiting`: bytes not applied. `oldest`: seconds since the oldest of them was settled, 0 when
    there is none. `corrupt`: lines skipped since the start. `error`: why the last attempt to reach
    the store or to read the journals failed, None when it did not.
    """

    waiting: int
    oldest: float
    corrupt: int
    error: str | None


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """When the background ships, in seconds.

    `gather`: from the first append to the pass that ships it and what came after it. `idle`: until
    a pass looks for what other, dead writers left. An unavailable store is tried again after
    `first_delay`, doubled each time up to `longest_delay`.
    """

    gather: float = 0.2
    idle: float = 5.0
    first_delay: float = 0.1
    longest_delay: float = 15.0


class Shipper:
    """Ships the journals in `folder` to `store`: on `flush`, and from `start` to `stop` by itself.

    `clock` tells seconds since the epoch. `backlog`: of the folder, from a shipper to the same
    store that has stopped: what that one applied is not read again. `failures` counts the attempts
    that failed. `waited`: how many seconds the first record of the batch that is being applied had
    waited, 0 between passes.
    """

    def __init__(
        self,
        folder: Path,
        store: Store,
        pace: Pace | None = None,
        clock: Callable[[], float] = time.time,
        backlog: Backlog | None = None,
    ) -> None:
        self.folder = folder
        self.store = store
        self.failures = 0
        self.waited = 0.0
        self._pace = Pace() if pace is None else pace
        self._clock = clock
        self._backlog = Backlog(folder) if backlog is None else backlog
        self._positions: Mapping[str, int] = {}
        self._error: str | None = None
        self._appended = asyncio.Event()
        self._pass_lock = asyncio.Lock()
        self._next_pass: asyncio.Task[str | None] | None = None
        self._tasks: set[asyncio.Task[object]] = set()

    def start(self) -> None:
        """Ship in the background, at once and after each `notify`."""
        self._appended.set()
        self._keep(asyncio.create_task(self._run()))

    def notify(self) -> None:
        """There is something new in the journal."""
        self._appended.set()

    async def flush(self) -> None:
        """Ship all that is in the journals now; StoreUnavailable when that cannot be done.

        Callers that come while a pass runs share the one after it.
        """
        if error := await self._pass():
            raise StoreUnavailable(error)

    async def lag(self) -> Lag:
        """How far behind the store is, whoever ships. An unavailable store shows as `error`, and
        as the lag since its last known positions; the answer comes soon in any case. Of journals
        that cannot be read only the error is known."""
        try:
            await self._learn_positions()
            waiting = await asyncio.to_thread(self._backlog.waiting, self._positions)
        except OSError as error:
            self._failed(error)
            waiting = Waiting(0, ())
        return Lag(
            waiting=waiting.size,
            oldest=max(map(self._age, waiting.settled_at), default=0.0),
            corrupt=self._backlog.corrupt,
            error=self._error,
        )

    async def finish(self, within: float) -> None:
        """Ship what `within` seconds allow, and stop."""
        try:
            async with asyncio.timeout(within):
                await self.flush()
        except (StoreUnavailable, TimeoutError) as error:
            why = str(error) or "there was no time"
            _log.warning("%s keeps records for the next start: %s", self.folder, why)
        finally:
            await self.stop()

    async def stop(self) -> None:
        """Ship no more; what was not shipped stays in the journals for the next start."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _run(self) -> None:
        delay = self._pace.first_delay
        while True:
            await self._something_to_do()
            self._appended.clear()
            if await self._pass() is None:
                delay = self._pace.first_delay
                continue
            self._appended.set()
            await asyncio.sleep(delay)
            delay = min(2 * delay, self._pace.longest_delay)

    async def _something_to_do(self) -> None:
        try:
            async with asyncio.timeout(self._pace.idle):
                await self._appended.wait()
        except TimeoutError:
            return
        await asyncio.sleep(self._pace.gather)

    async def _pass(self) -> str | None:
        """Join the next pass to begin, as the running one may be past what is new; its error."""
        if self._next_pass is None:
            self._next_pass = asyncio.create_task(self._begin_pass())
            self._keep(self._next_pass)
        return await asyncio.shield(self._next_pass)

    async def _begin_pass(self) -> str | None:
        try:
            await self._pass_lock.acquire()
        finally:
            self._next_pass = None
        try:
            await self._ship()
        except Exception as error:  # noqa: BLE001  # whatever it was, the next pass may do better
            self._failed(error)
        else:
            self._succeeded()
        finally:
            self.waited = 0.0
            self._pass_lock.release()
        return self._error

    async def _ship(self) -> None:
        writers = await asyncio.to_thread(self._backlog.writers)
        if not writers:
            return
        async with exclusive(self.folder):
            met = await self.store.positions(writers)
            self._positions = {writer: met.get(writer, 0) for writer in writers}
            batches = self._backlog.batches(self._positions, self.store.batch_size)
            while batch := await asyncio.to_thread(self._next, batches):
                if batch.parcels:
                    self.waited = self._age(batch.parcels[0].settled_at)
                    await self.store.apply(batch.parcels)
                self._backlog.applied(batch)

    def _next(self, batches: Iterator[Batch]) -> Batch | None:
        """Cleans up when there is none."""
        batch = next(batches, None)
        if batch is None:
            self._backlog.clean()
        return batch

    async def _learn_positions(self) -> None:
        """Ask the store for them. If it has more than before it failed, another process has shipped
        some, so it takes records again."""
        writers = await asyncio.to_thread(self._backlog.writers)
        try:
            positions = await fallback.positions(self.store, writers)
        except StoreUnavailable as error:
            self._failed(error)
            return
        if not writers or any(at > self._positions.get(w, 0) for w, at in positions.items()):
            self._error = None
        self._positions = positions

    def _failed(self, error: Exception) -> None:
        if self._error is None:
            unexpected = None if isinstance(error, (StoreUnavailable, OSError)) else error
            text = "the journal in %s waits for the store: %s"
            _log.error(text, self.folder, error, exc_info=unexpected)
        self._error = str(error) or type(error).__name__
        self.failures += 1

    def _succeeded(self) -> None:
        if self._error is not None:
            _log.info("the store has all that waited in %s", self.folder)
        self._error = None

    def _age(self, settled_at: int) -> float:
        return max(0.0, self._clock() - settled_at / 1e6)

    def _keep(self, task: asyncio.Task[object]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
