"""The workers: which one is in which slot, and the replacement of those that die."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from gateway.config import Config
from gateway.processes.channel import Failed, Message, Open, Ready, Start
from gateway.processes.hub import Hub
from gateway.processes.shared_sockets import SharedSockets
from gateway.processes.shares import share_of
from gateway.processes.worker_process import StartFailed, WorkerProcess

_SETTLED = 10.0
"""A worker that lived for so many seconds is replaced at once, others after a delay."""

_FIRST_DELAY = 0.1
_LONGEST_DELAY = 10.0

_log = logging.getLogger(__name__)


class WorkerPool:
    """The workers on `sockets`; `hub` passes on what all of them have to know.

    Slots are counted from 0.
    """

    def __init__(self, sockets: SharedSockets, hub: Hub) -> None:
        self._sockets = sockets
        self._hub = hub
        self._serving: dict[int, WorkerProcess] = {}
        self._crashes: Counter[int] = Counter()
        self._stopping = asyncio.Event()
        self._longest_drain = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, config: Config) -> None:
        """Replace the workers by some with `config`, without a gap in between.

        When it raises StartFailed or OSError, or is cancelled, everything stays as it was.
        """
        slots = range(config.server.workers)
        fresh = await self._start(config, slots)
        old, self._serving = self._serving, dict(zip(slots, fresh, strict=True))
        self._config = config
        self._longest_drain = max(self._longest_drain, config.server.drain)
        self._hub.renew(config)
        for worker in fresh:
            self._open(worker)
        for worker in old.values():
            worker.retire()

    async def stop(self, margin: float) -> None:
        """Drain all, and kill those that take `margin` seconds longer than any `server.drain` that
        workers were started with."""
        self._serving = {}
        self._stopping.set()
        for worker in self._hub.workers:
            worker.drain()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._longest_drain + margin)
        self.kill()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def kill(self) -> None:
        """Kill all."""
        for worker in self._hub.workers:
            worker.kill()

    async def _start(self, config: Config, slots: Sequence[int]) -> list[WorkerProcess]:
        """All of them ready, or none."""
        fresh: list[WorkerProcess] = []
        try:
            for slot in slots:
                worker = await self._add(config, slot)
                fresh.append(worker)
            await self._wait_ready(fresh)
            self._sockets.listen()
        except (StartFailed, OSError, asyncio.CancelledError):
            for worker in fresh:
                worker.kill()
            raise
        return fresh

    async def _wait_ready(self, fresh: Sequence[WorkerProcess]) -> None:
        """Return when all are. Raises StartFailed, also for one that has ended again by then."""
        await asyncio.gather(*(worker.wait_ready() for worker in fresh))
        if gone := [worker for worker in fresh if worker not in self._hub.workers]:
            raise StartFailed(f"{gone[0]} ended while others started")

    async def _add(self, config: Config, slot: int) -> WorkerProcess:
        hub = self._hub
        worker = await WorkerProcess.start(self._sockets.of(slot, config.server.workers))
        # No await in between: from here on it gets the messages that all workers get.
        worker.send(Start(share_of(config, slot), hub.last_providers.all()))
        hub.workers.add(worker)
        self._keep(self._attend(worker, slot))
        return worker

    async def _attend(self, worker: WorkerProcess, slot: int) -> None:
        """Handle a worker's messages until it has exited, then fill its slot."""
        began = time.monotonic()
        try:
            async for message in worker.messages():
                self._receive(worker, message)
        except msgspec.DecodeError as error:  # of another version: the package was upgraded
            _log.error("%s cannot be understood, and is killed: %s", worker, error)
            worker.kill()
        code = await worker.wait()
        self._hub.remove(worker)
        if self._serving.get(slot) is worker:
            _log.error("%s exited with %d and is replaced", worker, code)
            has_settled = time.monotonic() - began > _SETTLED
            self._crashes[slot] = 0 if has_settled else self._crashes[slot] + 1
            await self._replace(worker, slot)

    def _receive(self, worker: WorkerProcess, message: Message) -> None:
        match message:
            case Ready():
                worker.mark_ready()
            case Failed(reason) if worker.is_ready:
                _log.error("%s cannot go on: %s", worker, reason)
            case Failed(reason):
                worker.mark_failed(reason)
            case _:
                self._hub.receive(worker, message)

    async def _replace(self, dead: WorkerProcess, slot: int) -> None:
        """Fill a slot, unless a reload or the end came first."""
        await self._pause(slot)
        while self._serving.get(slot) is dead:
            try:
                worker = await self._add(self._config, slot)
            except OSError as error:
                _log.error("a worker cannot be replaced: %s", error)  # says all
                self._crashes[slot] += 1
                await self._pause(slot)
                continue
            if self._serving.get(slot) is not dead:
                worker.kill()
                return
            self._serving[slot] = worker
            await self._admit(worker)

    async def _admit(self, worker: WorkerProcess) -> None:
        try:
            await worker.wait_ready()
        except StartFailed as error:
            _log.error("%s", error)  # `_attend` fills the slot
            worker.kill()
        else:
            self._open(worker)

    def _open(self, worker: WorkerProcess) -> None:
        worker.send(Open(self._hub.health(self._config)))

    async def _pause(self, slot: int) -> None:
        """The longer, the more workers of this slot died soon after they had begun."""
        if crashes := self._crashes[slot]:
            delay = min(_FIRST_DELAY * 2.0 ** min(crashes - 1, 64), _LONGEST_DELAY)
            with suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._stopping.wait()

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
