"""The supervisor: it owns the sockets, the workers, the one shipper and the one prober.

SIGTERM and SIGINT drain everything, a second one ends the workers at once. SIGHUP, or a change of
the configuration's file, puts workers with the new one in the place of the old ones: both take
connections from the same sockets for a moment, so none is refused, and what is under way ends as it
would have. A configuration that is wrong is refused, and the old one stays.
"""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

from gateway.config import Config
from gateway.ledger.journal import Journal
from gateway.ledger.opening import open_store
from gateway.metrics.resources import own_resources
from gateway.metrics.snapshot import Snapshot
from gateway.processes.heartbeat import watch_heartbeats
from gateway.processes.hub import Hub
from gateway.processes.reload import ConfigRefused, Source, check_change
from gateway.processes.service_manager import READY, STOPPING, ServiceManager
from gateway.processes.shared_sockets import SharedSockets
from gateway.processes.shipping import Shipping
from gateway.processes.worker_pool import WorkerPool
from gateway.processes.worker_process import StartFailed
from gateway.routing.prober import Prober

_CHECK_EVERY = 1.0
"""Seconds between two looks at the configuration's file."""

_MARGIN = 10.0
"""Seconds beyond `server.drain` that a worker may take to go."""

_log = logging.getLogger(__name__)


async def supervise(config: Config, source: Source, announce: Callable[[str], None]) -> None:
    """Serve until a signal says stop; `announce` is given the address once all workers serve.

    OSError when the address cannot be bound; JournalError, StoreUnavailable and StartFailed when
    the ledger or a worker cannot begin.
    """
    with closing(SharedSockets(config.server)) as sockets:
        async with _shipping(config) as shipping:
            await Supervisor(config, source, sockets, shipping).run(announce)


@asynccontextmanager
async def _shipping(config: Config) -> AsyncIterator[Shipping]:
    """Ship for all workers, also what they leave at the end."""
    section = config.ledger
    # Workers and the shipper open their own: these only show, early, that they can.
    await (await open_store(section.url, section.retention)).close()
    (await asyncio.to_thread(Journal, Path(section.journal))).close()
    shipping = Shipping(section)
    shipping.start()
    try:
        yield shipping
    finally:
        await shipping.finish()


class Supervisor:
    """Runs the workers, and replaces them when the configuration changes."""

    def __init__(
        self, config: Config, source: Source, sockets: SharedSockets, shipping: Shipping
    ) -> None:
        self._config = config
        self._source = source
        self._sockets = sockets
        self._shipping = shipping
        self._manager = ServiceManager(os.environ)
        self._hub = Hub(self._counts)
        self._pool = WorkerPool(sockets, self._hub)
        self._starting: asyncio.Task[None] | None = None
        self._is_ending = False
        self._is_asked_to_reload = False
        self._is_config_refused = False
        self._signalled = asyncio.Event()

    async def run(self, announce: Callable[[str], None]) -> None:
        """Serve until a signal says stop."""
        self._handle_signals()
        watching = asyncio.create_task(watch_heartbeats(self._hub.workers))
        beating = asyncio.create_task(self._manager.beat())
        try:
            if await self._start(self._config):
                announce(self._sockets.address)
                self._manager.notify(READY)
            while not self._is_ending:
                async with Prober(self._hub.providers.values(), self._hub.probed):
                    await self._until_reloaded()
        finally:
            self._manager.notify(STOPPING)
            self._sockets.close()
            await self._pool.stop(_MARGIN)
            watching.cancel()
            beating.cancel()

    def _counts(self) -> Snapshot:
        """What no worker counts, as it is the supervisor that ships and reloads."""
        return Snapshot(
            processes=0,
            store_failures=self._shipping.failures,
            is_config_refused=self._is_config_refused,
            resources={"supervisor": own_resources()},
        )

    def _handle_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._end)
        loop.add_signal_handler(signal.SIGHUP, self._ask_to_reload)

    def _end(self) -> None:
        if self._is_ending:
            self._pool.kill()
        self._is_ending = True
        self._signalled.set()
        if self._starting:
            self._starting.cancel()

    def _ask_to_reload(self) -> None:
        self._is_asked_to_reload = True
        self._signalled.set()

    async def _start(self, config: Config) -> bool:
        """Have the pool serve with `config`; False where the end comes meanwhile.

        Raises StartFailed or OSError when it cannot.
        """
        if self._is_ending:  # while a configuration was read again
            return False
        self._starting = asyncio.create_task(self._pool.serve(config))
        await asyncio.wait([self._starting])
        if self._starting.cancelled():
            return False
        self._starting.result()
        return True

    async def _until_reloaded(self) -> None:
        """Return when the workers have another configuration, or at the end."""
        while not self._is_ending:
            with suppress(TimeoutError):
                async with asyncio.timeout(_CHECK_EVERY):
                    await self._signalled.wait()
            self._signalled.clear()
            if await self._is_reload_due() and await self._reload():
                return

    async def _is_reload_due(self) -> bool:
        asked, self._is_asked_to_reload = self._is_asked_to_reload, False
        changed = await asyncio.to_thread(self._source.has_changed)
        return (asked or changed) and not self._is_ending

    async def _reload(self) -> bool:
        """Serve with the configuration as it is now; if that fails, log why and go on as before."""
        try:
            config = await asyncio.to_thread(self._source.read)
            check_change(self._config, config)
            if not await self._start(config):
                return False
        except (ConfigRefused, StartFailed, OSError) as refused:
            _log.error("a new configuration is refused, the old one stays: %s", refused)  # says all
            self._is_config_refused = True
            return False
        self._is_config_refused = False
        self._config = config
        self._shipping.renew(config.ledger)
        _log.info("serving with the new configuration of %s", self._source.path)
        return True
