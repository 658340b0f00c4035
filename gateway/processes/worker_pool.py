"""The workers: who stands in which place, and who takes the place of one that died."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any

from gateway.config import Config
from gateway.processes.channel import Failed, Message, Open, Ready, Start
from gateway.processes.hub import Hub
from gateway.processes.shared_sockets import SharedSockets
from gateway.processes.shares import share_of
from gateway.processes.worker_process import StartFailed, WorkerProcess

_SETTLED = 10.0
"""A worker that lived for so many seconds is replaced at once, others after a while."""

_FIRST_DELAY = 0.1
_LONGEST_DELAY = 10.0

_log = logging.getLogger(__name__)


class WorkerPool:
    """The workers on `sockets`, which tell each other on `hub` what all have to know."""

    def __init__(self, sockets: SharedSockets, hub: Hub) -> None:
        self._sockets = sockets
        self._hub = hub
        self._serving: dict[int, WorkerProcess] = {}
        self._crashes: Counter[int] = Counter()
        self._stopping = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, config: Config) -> None:
        """Have workers with `config` take the places of those there are, without a gap between.

        StartFailed, OSError and a cancellation leave everything as it was.
        """
        places = range(config.server.workers)
        fresh = await self._start(config, places)
        old, self._serving = self._serving, dict(zip(places, fresh, strict=True))
        self._config = config
        self._hub.renew(config)
        for worker in fresh:
            worker.send(Open())
        for worker in old.values():
            worker.retire()

    async def stop(self, within: float) -> None:
        """Drain all, and end those that take longer than `within` seconds."""
        self._serving = {}
        self._stopping.set()
        for worker in self._hub.workers:
            worker.drain()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within)
        self.kill()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def kill(self) -> None:
        """End all at once."""
        for worker in self._hub.workers:
            worker.kill()

    async def _start(self, config: Config, places: Sequence[int]) -> list[WorkerProcess]:
        """All of them ready, or none."""
        fresh: list[WorkerProcess] = []
        try:
            for place in places:
                worker = await self._add(config, place)
                fresh.append(worker)
            await asyncio.gather(*(worker.started() for worker in fresh))
            self._sockets.listen()
        except (StartFailed, OSError, asyncio.CancelledError):
            for worker in fresh:
                worker.kill()
            raise
        return fresh

    async def _add(self, config: Config, place: int) -> WorkerProcess:
        hub = self._hub
        worker = await WorkerProcess.start(self._sockets.of(place, config.server.workers))
        # Nothing may come between: what others say from here on, it is told as they are.
        worker.send(Start(share_of(config, place), hub.health(config), hub.last_providers.all()))
        hub.workers.add(worker)
        self._keep(self._attend(worker, place))
        return worker

    async def _attend(self, worker: WorkerProcess, place: int) -> None:
        """Hear a worker out until it has gone, and see to its place."""
        began = time.monotonic()
        async for message in worker.messages():
            self._receive(worker, message)
        code = await worker.wait()
        self._hub.left(worker)
        if self._serving.get(place) is worker:
            _log.error("%s ended with %d; another one takes its place", worker, code)
            has_settled = time.monotonic() - began > _SETTLED
            self._crashes[place] = 0 if has_settled else self._crashes[place] + 1
            await self._replace(worker, place)

    def _receive(self, worker: WorkerProcess, message: Message) -> None:
        match message:
            case Ready():
                worker.is_ready()
            case Failed(reason):
                worker.failed(reason)
            case _:
                self._hub.receive(worker, message)

    async def _replace(self, dead: WorkerProcess, place: int) -> None:
        """Fill a place, unless a reload or the end came before."""
        await self._pause(place)
        while self._serving.get(place) is dead:
            try:
                worker = await self._add(self._config, place)
            except OSError as error:
                _log.error("no worker for a free place: %s", error)  # says all
                self._crashes[place] += 1
                await self._pause(place)
                continue
            if self._serving.get(place) is not dead:
                worker.kill()
                return
            self._serving[place] = worker
            await self._admit(worker)

    async def _admit(self, worker: WorkerProcess) -> None:
        try:
            await worker.started()
        except StartFailed as error:
            _log.error("%s", error)  # whoever attends to it sees to the place
            worker.kill()
        else:
            worker.send(Open())

    async def _pause(self, place: int) -> None:
        """The longer, the more of this place's workers died one soon after the other."""
        if crashes := self._crashes[place]:
            delay = min(_FIRST_DELAY * 2.0 ** min(crashes - 1, 64), _LONGEST_DELAY)
            with suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._stopping.wait()

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
