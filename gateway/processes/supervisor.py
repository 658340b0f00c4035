"""The supervisor: it owns the sockets, the workers, the one shipper and the one prober.

SIGTERM and SIGINT drain everything, a second one ends it at once. SIGHUP, or a change of the
configuration's file, puts workers with the new one in the place of the old ones: both take
connections from the same sockets for a moment, so none is refused, and what is under way ends as it
would have. A configuration that is wrong is refused, and the old one stays.
"""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from gateway.config import Config
from gateway.ledger.journal import Journal
from gateway.ledger.keeper import Keeper, watch
from gateway.ledger.ledger import open_store
from gateway.ledger.shipper import Shipper
from gateway.metrics.snapshot import Snapshot
from gateway.processes.board import Board
from gateway.processes.crew import Crew
from gateway.processes.hand import StartFailed
from gateway.processes.pulse import watch as watch_pulses
from gateway.processes.reload import ConfigRefused, Source, check_change
from gateway.processes.slots import Slots
from gateway.processes.worker import GRACE
from gateway.routing.prober import Prober
from gateway.server import tls_context

_LOOK_EVERY = 1.0
_SHIPPING = 5.0
"""Seconds that stopping waits for the store; what is not shipped stays in the journal."""

_MARGIN = GRACE + 5.0
"""Seconds beyond `server.drain` that a worker may take to go."""

_log = logging.getLogger(__name__)


async def supervise(config: Config, source: Source, announce: Callable[[str], None]) -> None:
    """Serve until a signal says stop; `announce` is given the address once all workers serve.

    OSError when the address cannot be bound, ssl.SSLError for certificates that are wrong,
    JournalError, StoreUnavailable and StartFailed when the ledger or a worker cannot begin.
    """
    tls_context(config.server.tls)
    with Slots(config.server) as slots:
        async with _keeping(config) as keeper:
            await Supervisor(config, source, slots, keeper).run(announce)


@asynccontextmanager
async def _keeping(config: Config) -> AsyncIterator[Keeper]:
    """Ship for all workers and forget what is old, to the end."""
    folder = Path(config.ledger.journal)
    store = await open_store(config.ledger.url, config.ledger.retention)
    try:
        # Each worker has a journal of its own: this one only shows that there can be some.
        (await asyncio.to_thread(Journal, folder)).close()
        shipper = Shipper(folder, store)
        keeper = Keeper(shipper, config.ledger.retention)
        keeper.start()
        watching = asyncio.create_task(watch(folder, shipper.notify))
        try:
            yield keeper
        finally:
            watching.cancel()
            await keeper.stop(_SHIPPING)
    finally:
        await store.close()


class Supervisor:
    """Runs the workers, and exchanges them when the configuration changes."""

    def __init__(self, config: Config, source: Source, slots: Slots, keeper: Keeper) -> None:
        self._config = config
        self._source = source
        self._slots = slots
        self._keeper = keeper
        self._board = Board(self._counts)
        self._crew = Crew(slots, self._board)
        self._starting: asyncio.Task[None] | None = None
        self._is_ending = False
        self._is_asked_to_reload = False
        self._signalled = asyncio.Event()

    async def run(self, announce: Callable[[str], None]) -> None:
        """Until a signal says stop."""
        self._heed_signals()
        watching = asyncio.create_task(watch_pulses(self._board.hands))
        try:
            if await self._start(self._config):
                announce(self._slots.address)
            while not self._is_ending:
                async with Prober(self._board.providers.values(), self._board.probed):
                    await self._until_renewed()
        finally:
            self._slots.close()
            await self._crew.stop(self._config.server.drain + _MARGIN)
            watching.cancel()

    def _counts(self) -> Snapshot:
        """What no worker counts: it is the supervisor who ships."""
        return Snapshot(processes=0, store_failures=self._keeper.failures)

    def _heed_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._end)
        loop.add_signal_handler(signal.SIGHUP, self._ask_to_reload)

    def _end(self) -> None:
        if self._is_ending:
            self._crew.kill()
        self._is_ending = True
        self._signalled.set()
        if self._starting:
            self._starting.cancel()

    def _ask_to_reload(self) -> None:
        self._is_asked_to_reload = True
        self._signalled.set()

    async def _start(self, config: Config) -> bool:
        """Whether the crew serves with `config`; it does not if the end comes meanwhile.

        StartFailed or OSError when it cannot.
        """
        self._starting = asyncio.create_task(self._crew.serve(config))
        await asyncio.wait([self._starting])
        if self._starting.cancelled():
            return False
        self._starting.result()
        return True

    async def _until_renewed(self) -> None:
        """Return when the workers have another configuration, or at the end."""
        while not self._is_ending:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY):
                    await self._signalled.wait()
            self._signalled.clear()
            if await self._is_due() and await self._renew():
                return

    async def _is_due(self) -> bool:
        asked, self._is_asked_to_reload = self._is_asked_to_reload, False
        changed = await asyncio.to_thread(self._source.has_changed)
        return (asked or changed) and not self._is_ending

    async def _renew(self) -> bool:
        """Serve with the configuration as it is now, or say why not and go on."""
        try:
            config = await asyncio.to_thread(self._source.read)
            await asyncio.to_thread(check_change, self._config, config)
            if not await self._start(config):
                return False
        except (ConfigRefused, StartFailed, OSError) as refused:
            _log.error("the configuration stays as it was: %s", refused)  # says all
            return False
        self._config = config
        self._keeper.retention = config.ledger.retention
        _log.info("serving with the configuration of %s", self._source.path)
        return True
