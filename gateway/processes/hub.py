"""What the workers have to know of each other: who is out, and what each of them counts."""

import asyncio
import itertools
import logging
from collections.abc import Callable, Mapping, Sequence

from gateway.config import Config
from gateway.metrics.snapshot import Snapshot
from gateway.processes.channel import (
    Answer,
    Ask,
    CooldownStarted,
    FinalCounts,
    Message,
    Probed,
    UsersMoved,
)
from gateway.processes.totals import Totals
from gateway.processes.worker_process import WorkerProcess
from gateway.routing.health_state import Cooldown, HealthState
from gateway.routing.last_providers import LastProviders
from gateway.routing.provider import Provider

_TIMEOUT = 1.0
"""Seconds to wait for the workers' snapshots."""

_log = logging.getLogger(__name__)


class Hub:
    """`workers` are all workers that live. `providers` have the health that they agree on;
    `last_providers` has who answered each user last. `own` says what the supervisor counts itself.
    """

    def __init__(self, own: Callable[[], Snapshot]) -> None:
        self._own = own
        self.workers: set[WorkerProcess] = set()
        self.providers: Mapping[str, Provider] = {}
        self.last_providers = LastProviders()
        self._totals = Totals()
        self._numbers = itertools.count()
        self._inquiries: dict[int, _Inquiry] = {}
        self._replies: set[asyncio.Task[None]] = set()

    def renew(self, config: Config) -> None:
        """These are the providers now; those that were there before stay as well as they are."""
        states = self.health(config)
        self.providers = {p.name: Provider(p, config.sticky.slow_start) for p in config.providers}
        for name, state in states.items():
            self.providers[name].health.restore(state)

    def health(self, config: Config) -> dict[str, HealthState]:
        """The health of those providers of `config` that are known at the same address."""
        known = self.providers
        return {
            each.name: known[each.name].health.state()
            for each in config.providers
            if each.name in known and known[each.name].settings.base_url == each.base_url
        }

    def receive(self, worker: WorkerProcess, message: Message) -> None:
        """A worker has said something that others should know, or asks for what they do."""
        match message:
            case CooldownStarted(name, cooldown):
                if name in self.providers:
                    _start_cooldown(self.providers[name], cooldown)
                self._send_to_others(worker, message)
            case UsersMoved(providers):
                self.last_providers.merge(providers)
                self._send_to_others(worker, message)
            case Ask(number):
                reply = asyncio.create_task(self._reply(worker, number))
                self._replies.add(reply)
                reply.add_done_callback(self._replies.discard)
            case Answer(number, [snapshot]):
                self._totals.update(worker, snapshot)
                if number in self._inquiries:
                    self._inquiries[number].answered(worker)
            case FinalCounts(snapshot):
                self._totals.update(worker, snapshot)

    def _send_to_others(self, worker: WorkerProcess, message: CooldownStarted | UsersMoved) -> None:
        for other in self.workers - {worker}:
            other.send(message)

    def probed(self, provider: Provider, good: bool, now: float) -> None:
        """A probe has ended: all are told."""
        if provider.name in self.providers:
            _end_probe(self.providers[provider.name], good, now)
        for worker in self.workers:
            worker.send(Probed(provider.name, good, now))

    def left(self, worker: WorkerProcess) -> None:
        """A worker has gone."""
        self.workers.discard(worker)
        self._totals.retire(worker)
        for inquiry in self._inquiries.values():
            inquiry.answered(worker)

    async def snapshots(self) -> Sequence[Snapshot]:
        """The supervisor's own, and what `Totals.counts` has of the workers that answer in time."""
        number = next(self._numbers)
        asked = set(self.workers)
        inquiry = self._inquiries[number] = _Inquiry(asked)
        for worker in asked:
            worker.send(Ask(number))
        silent = await inquiry.wait()
        del self._inquiries[number]
        if silent:
            _log.warning("no word of %s", ", ".join(map(repr, silent)))
        told = self._totals.counts(silent)
        return [self._own(), *told] if told else []

    async def _reply(self, worker: WorkerProcess, number: int) -> None:
        worker.send(Answer(number, await self.snapshots()))


def _start_cooldown(provider: Provider, cooldown: Cooldown) -> None:
    """Of calls that were under way together each may be the reason for one: the first is logged."""
    if cooldown.at >= provider.health.out_until:
        seconds = cooldown.until - cooldown.at
        _log.warning(
            "provider %s is left alone for %g s: %s", provider.name, seconds, cooldown.reason
        )
    provider.health.apply(cooldown)


def _end_probe(provider: Provider, good: bool, now: float) -> None:
    was_down = provider.health.is_down
    provider.health.probed(good, now)
    if provider.health.is_down and not was_down:
        _log.warning("provider %s fails its probe, and is left alone", provider.name)
    elif was_down and not provider.health.is_down:
        _log.info("provider %s answers its probe again", provider.name)


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
            async with asyncio.timeout(_TIMEOUT):
                await self._all.wait()
        except TimeoutError:
            return set(self._missing)
        return set()

    def _look(self) -> None:
        if not self._missing:
            self._all.set()
