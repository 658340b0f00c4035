"""What the workers have to know of each other: who is out, and what each of them counts."""

import asyncio
import itertools
import logging
from collections.abc import Callable, Mapping, Sequence

from gateway.config import Config
from gateway.metrics.snapshot import Snapshot
from gateway.processes.channel import Answer, Ask, Farewell, Held, Message, Probed, Stepped
from gateway.processes.totals import Totals
from gateway.processes.worker_process import WorkerProcess
from gateway.routing.memory import Memory
from gateway.routing.provider import Provider
from gateway.routing.trail import Trail

_PATIENCE = 1.0
"""Seconds to wait for the workers' snapshots."""

_log = logging.getLogger(__name__)


class Hub:
    """`workers` are all workers that live. `providers` have the health that they agree on, `trail`
    where they saw each user last. `own` says what the supervisor counts itself."""

    def __init__(self, own: Callable[[], Snapshot]) -> None:
        self._own = own
        self.workers: set[WorkerProcess] = set()
        self.providers: Mapping[str, Provider] = {}
        self.trail = Trail()
        self._totals = Totals()
        self._numbers = itertools.count()
        self._inquiries: dict[int, _Inquiry] = {}
        self._replies: set[asyncio.Task[None]] = set()

    def renew(self, config: Config) -> None:
        """These are the providers now; those that were there before stay as well as they are."""
        memories = self.memories(config)
        self.providers = {p.name: Provider(p, config.sticky.slow_start) for p in config.providers}
        for name, memory in memories.items():
            self.providers[name].health.recall(memory)

    def memories(self, config: Config) -> dict[str, Memory]:
        """The health of those providers of `config` that are known at the same address."""
        known = self.providers
        return {
            each.name: known[each.name].health.memory()
            for each in config.providers
            if each.name in known and known[each.name].settings.base_url == each.base_url
        }

    def hear(self, worker: WorkerProcess, message: Message) -> None:
        """A worker has said something that others should know, or asks for what they do."""
        match message:
            case Held(name, hold):
                if name in self.providers:
                    self.providers[name].health.hear(hold)
                self._tell_others(worker, message)
            case Stepped(steps):
                self.trail.hear(steps)
                self._tell_others(worker, message)
            case Ask(number):
                reply = asyncio.create_task(self._reply(worker, number))
                self._replies.add(reply)
                reply.add_done_callback(self._replies.discard)
            case Answer(number, [snapshot]):
                self._totals.heard(worker, snapshot)
                if number in self._inquiries:
                    self._inquiries[number].answered(worker)
            case Farewell(snapshot):
                self._totals.heard(worker, snapshot)

    def _tell_others(self, worker: WorkerProcess, message: Held | Stepped) -> None:
        for other in self.workers - {worker}:
            other.tell(message)

    def probed(self, provider: Provider, good: bool, now: float) -> None:
        """A probe has ended: all are told."""
        if provider.name in self.providers:
            self.providers[provider.name].health.probed(good, now)
        for worker in self.workers:
            worker.tell(Probed(provider.name, good, now))

    def left(self, worker: WorkerProcess) -> None:
        """A worker has gone."""
        self.workers.discard(worker)
        self._totals.left(worker)
        for inquiry in self._inquiries.values():
            inquiry.answered(worker)

    async def snapshots(self) -> Sequence[Snapshot]:
        """The supervisor's own, and what `Totals.told` has of the workers that answer in time."""
        number = next(self._numbers)
        asked = set(self.workers)
        inquiry = self._inquiries[number] = _Inquiry(asked)
        for worker in asked:
            worker.tell(Ask(number))
        silent = await inquiry.wait()
        del self._inquiries[number]
        if silent:
            _log.warning("no word of %s", ", ".join(map(repr, silent)))
        told = self._totals.told(silent)
        return [self._own(), *told] if told else []

    async def _reply(self, worker: WorkerProcess, number: int) -> None:
        worker.tell(Answer(number, await self.snapshots()))


class _Inquiry:
    """Who was asked and has not answered yet."""

    def __init__(self, asked: set[WorkerProcess]) -> None:
        self._missing = set(asked)
        self._all = asyncio.Event()
        self._look()

    def answered(self, worker: WorkerProcess) -> None:
        """Or will never answer."""
        self._missing.discard(worker)
        self._look()

    async def wait(self) -> set[WorkerProcess]:
        """Those who are silent for too long."""
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._all.wait()
        except TimeoutError:
            return set(self._missing)
        return set()

    def _look(self) -> None:
        if not self._missing:
            self._all.set()
