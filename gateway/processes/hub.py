"""What workers have to know of each other: who is out, who moved, and what all of them count."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from gateway.config import Config
from gateway.config import Provider as Settings
from gateway.metrics.snapshot import Snapshot
from gateway.processes.channel import (
    CooldownStarted,
    FinalCounts,
    Message,
    Probed,
    SnapshotRequest,
    Snapshots,
    UsersMoved,
)
from gateway.processes.collector import SnapshotCollector
from gateway.processes.worker_process import WorkerProcess
from gateway.routing.health_state import Cooldown, HealthState
from gateway.routing.last_providers import LastProviders
from gateway.routing.provider import Provider

_log = logging.getLogger(__name__)


class Hub:
    """Passes what one worker says on to the others, and keeps it for workers to come.

    `workers`: all that live. `providers`: with the health that the workers agree on.
    `last_providers`: who answered each user last. `own`: the supervisor's own snapshot.
    """

    def __init__(self, own: Callable[[], Snapshot]) -> None:
        self.workers: set[WorkerProcess] = set()
        self.providers: Mapping[str, Provider] = {}
        self.last_providers = LastProviders()
        self._collector = SnapshotCollector(own)
        self._replies: set[asyncio.Task[None]] = set()

    def renew(self, config: Config) -> None:
        """Take the providers of a new configuration; those known before keep their health."""
        states = self.health(config)
        self.providers = {p.name: Provider(p, config.sticky.slow_start) for p in config.providers}
        for name, state in states.items():
            self.providers[name].health.restore(state)

    def health(self, config: Config) -> dict[str, HealthState]:
        """The health of those providers of `config` that were known before; not of one with another
        address, key, headers, timeouts, models or probe, with which it may not fail any more."""
        known = self.providers
        return {
            each.name: known[each.name].health.state()
            for each in config.providers
            if each.name in known and _cause(known[each.name].settings) == _cause(each)
        }

    def receive(self, worker: WorkerProcess, message: Message) -> None:
        """Handle a worker's message that concerns the others."""
        match message:
            case CooldownStarted() if worker.is_retiring:
                pass  # what it failed by may be mended in the newer configuration
            case CooldownStarted(name, cooldown):
                if name in self.providers:
                    _start_cooldown(self.providers[name], cooldown)
                self._send_to_others(worker, message)
            case UsersMoved(providers):
                self.last_providers.merge(providers)
                self._send_to_others(worker, message)
            case SnapshotRequest(number):
                reply = asyncio.create_task(self._reply(worker, number))
                self._replies.add(reply)
                reply.add_done_callback(self._replies.discard)
            case Snapshots(number, [snapshot]):
                self._collector.replied(worker, number, snapshot)
            case FinalCounts(snapshot):
                self._collector.ended(worker, snapshot)

    def probed(self, provider: Provider, good: bool, now: float) -> None:
        """Tell all workers that a probe has ended."""
        if provider.name in self.providers:
            _end_probe(self.providers[provider.name], good, now)
        for worker in self.workers:
            worker.send(Probed(provider.name, good, now))

    def remove(self, worker: WorkerProcess) -> None:
        """Forget a worker that has exited."""
        self.workers.discard(worker)
        self._collector.retire(worker)

    def _send_to_others(self, worker: WorkerProcess, message: CooldownStarted | UsersMoved) -> None:
        for other in self.workers - {worker}:
            other.send(message)

    async def _reply(self, worker: WorkerProcess, number: int) -> None:
        ready = {each for each in self.workers if each.is_ready}  # others could not answer yet
        snapshots = await self._collector.collect(ready)
        worker.send(Snapshots(number, snapshots))


def _cause(settings: Settings) -> tuple[object, ...]:
    """The part of a provider's settings by which calls and probes can fail."""
    address = settings.base_url, settings.api_key, settings.headers, settings.timeouts
    return *address, settings.models, settings.health


def _start_cooldown(provider: Provider, cooldown: Cooldown) -> None:
    """Calls that fail together each report a cooldown: only the first is logged."""
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
