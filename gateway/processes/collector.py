"""Collecting the snapshots of all processes, for whoever asks what the gateway counts."""

import asyncio
import itertools
import logging
from collections.abc import Callable, Collection, Sequence

from gateway.metrics.snapshot import Snapshot
from gateway.processes.channel import SnapshotRequest
from gateway.processes.totals import Totals
from gateway.processes.worker_process import WorkerProcess

_TIMEOUT = 1.0
"""Seconds to wait for the workers' replies."""

_log = logging.getLogger(__name__)


class SnapshotCollector:
    """Asks workers for their snapshots. `own` gives the supervisor's."""

    def __init__(self, own: Callable[[], Snapshot]) -> None:
        self._own = own
        self._totals = Totals()
        self._numbers = itertools.count()
        self._inquiries: dict[int, _Inquiry] = {}

    async def collect(self, workers: Collection[WorkerProcess]) -> Sequence[Snapshot]:
        """The supervisor's own, then `Totals.counts`; none when no worker replies in time."""
        number = next(self._numbers)
        inquiry = self._inquiries[number] = _Inquiry(workers)
        for worker in workers:
            worker.send(SnapshotRequest(number))
        silent = await inquiry.wait()
        del self._inquiries[number]
        if silent:
            _log.warning("no word of %s", ", ".join(map(repr, silent)))
        counts = self._totals.counts(silent)
        return [self._own(), *counts] if counts else []

    def replied(self, worker: WorkerProcess, number: int, snapshot: Snapshot) -> None:
        """A worker has replied to request `number`."""
        self._totals.update(worker, snapshot)
        if number in self._inquiries:
            self._inquiries[number].settle(worker)

    def ended(self, worker: WorkerProcess, snapshot: Snapshot) -> None:
        """A worker has sent its last snapshot."""
        self._totals.update(worker, snapshot)

    def retire(self, worker: WorkerProcess) -> None:
        """A worker has exited: what it counted stays, and no reply will come."""
        self._totals.retire(worker)
        for inquiry in self._inquiries.values():
            inquiry.settle(worker)


class _Inquiry:
    """Which workers were asked for their snapshots and have not replied yet."""

    def __init__(self, asked: Collection[WorkerProcess]) -> None:
        self._missing = set(asked)
        self._all = asyncio.Event()
        self._check()

    def settle(self, worker: WorkerProcess) -> None:
        """The worker has replied, or never will."""
        self._missing.discard(worker)
        self._check()

    async def wait(self) -> set[WorkerProcess]:
        """Wait for all replies; returns the workers that took too long."""
        try:
            async with asyncio.timeout(_TIMEOUT):
                await self._all.wait()
        except TimeoutError:
            return set(self._missing)
        return set()

    def _check(self) -> None:
        if not self._missing:
            self._all.set()
