"""The ledger as the rest of the gateway sees it: record a generation, read what was recorded."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from gateway import config
from gateway.generation import Generation
from gateway.ledger.fallback import hear_from, recorded
from gateway.ledger.journal import Journal, JournalError
from gateway.ledger.keeper import Keeper
from gateway.ledger.person.dossier import DossierEntry, dossier
from gateway.ledger.person.erasure import Erasure, erase
from gateway.ledger.person.holdings import Holding, holdings
from gateway.ledger.person.traces import Person
from gateway.ledger.shipper import Lag, Shipper
from gateway.ledger.store import Store, StoreUnavailable
from gateway.ledger.stores import open_store
from gateway.ledger.verify import Verdict, verify

_PATIENCE = 2.0
_CALM = 60.0
"""Seconds without a loss after which the next one is said again."""

_log = logging.getLogger(__name__)


class Ledger:
    """One process's ledger: its journal, the shipper, and the store it shares with others.

    `lost` counts generations that the journal could not take; they are gone.
    """

    def __init__(
        self,
        journal: Journal,
        store: Store,
        retention: config.Retention,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.lost = 0
        self._journal = journal
        self._store = store
        self._shipper = Shipper(journal.folder, store, clock=clock)
        self._keeper = Keeper(self._shipper, retention, clock)
        self._clock = clock
        self._last_loss = 0.0
        self._unsafe: list[Generation] = []

    @classmethod
    async def open(cls, section: config.Ledger) -> Self:
        """As configured. Raises StoreUnavailable or JournalError when it cannot work at all."""
        store = await open_store(section.url, section.retention)
        try:
            journal = await asyncio.to_thread(Journal, Path(section.journal))
        except JournalError:
            await store.close()
            raise
        return cls(journal, store, section.retention)

    def start(self) -> None:
        """Ship and forget in the background, where no other process does it."""
        self._keeper.start()

    async def stop(self, within: float) -> None:
        """Ship what `within` seconds allow and close everything; the rest waits in the journal."""
        self._close_journal()
        await self._keeper.finish(within)
        await self._store.close()

    async def close(self) -> None:
        """Close everything; another process ships what is in the journal."""
        self._close_journal()
        await self._store.close()

    @property
    def failures(self) -> int:
        """How often this process could not reach the store, or read the journals."""
        return self._keeper.failures

    def record(self, generation: Generation) -> None:
        """Have it made safe at the end of this turn of the event loop, or at the next `commit`."""
        if not self._unsafe:
            asyncio.get_running_loop().call_soon(self.commit)
        self._unsafe.append(generation)

    def commit(self) -> None:
        """Make safe what was recorded until now, and wake the shipper: no answer may end before.

        Never raises: a full disk does not stop traffic.
        """
        if not self._unsafe:
            return
        unsafe, self._unsafe = self._unsafe, []
        try:
            self._journal.append_all(unsafe)
        except JournalError:
            for generation in unsafe:  # some of them may fit
                self._append(generation)
        self._shipper.notify()

    async def fresh(self) -> Store:
        """The store, with all that was recorded until now.

        When that takes too long or the store takes nothing, it is returned as it is, and `lag`
        says how far behind; but when it does not answer at all, StoreUnavailable, and soon.
        """
        self.commit()
        await hear_from(self._store)
        with suppress(StoreUnavailable, TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await self._shipper.flush()
        return self._store

    async def generation(self, wanted: str, tenants: frozenset[str] | None) -> Generation | None:
        """One record, by our id or the upstream's, as soon as it is recorded, by any process that
        shares the journal folder. StoreUnavailable where only the store could tell and is away."""
        self.commit()
        return await recorded(self._store, self._journal.folder, wanted, tenants)

    async def holdings(self, person: Person) -> Sequence[Holding]:
        """What is kept of an end user, key by key. Raises StoreUnavailable."""
        return await holdings(await self.fresh(), self._journal.folder, person)

    async def dossier(self, person: Person) -> AsyncIterator[Sequence[DossierEntry]]:
        """Everything kept of an end user, page by page. Raises StoreUnavailable."""
        return dossier(await self.fresh(), self._journal.folder, person)

    async def erase(self, person: Person, known: Collection[str]) -> Erasure:
        """Forget an end user in the store and in the journals; see `erasure.erase`."""
        self.commit()
        return await erase(self._shipper, person, known)

    async def lag(self) -> Lag:
        """How far the store is behind the journals."""
        return await self._shipper.lag()

    async def verify(self) -> Verdict:
        """Ship everything, then recount. Raises StoreUnavailable."""
        self.commit()
        await self._shipper.flush()
        return await verify(self._store)

    async def expire(self) -> None:
        """Forget what is past its retention."""
        await self._keeper.expire()

    def _append(self, generation: Generation) -> None:
        try:
            self._journal.append(generation)
        except JournalError as error:
            self._lose(error)

    def _close_journal(self) -> None:
        self.commit()
        self._journal.close()

    def _lose(self, error: JournalError) -> None:
        self.lost += 1
        now = self._clock()
        # On a full disk some fit in between, whenever a segment was shipped.
        if now - self._last_loss > _CALM:
            _log.error("generations are being lost: %s", error)
        self._last_loss = now
