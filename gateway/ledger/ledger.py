"""The ledger as the rest of the gateway sees it: record a generation, read what was recorded."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from gateway import config
from gateway.generation import Generation
from gateway.ledger.fallback import find_recorded, ping
from gateway.ledger.journal import Journal, JournalError
from gateway.ledger.keeper import Keeper
from gateway.ledger.opening import open_store
from gateway.ledger.person.dossier import DossierEntry, dossier
from gateway.ledger.person.erasure import Erasure, erase
from gateway.ledger.person.traces import Person
from gateway.ledger.recorder import Recorder
from gateway.ledger.shipper import Lag, Shipper
from gateway.ledger.store import Store, StoreUnavailable

_PATIENCE = 2.0
"""Seconds that a reader waits until what was recorded is in the store."""


class Ledger:
    """One process's ledger: its journal, the shipper, and the store it shares with others."""

    def __init__(
        self,
        journal: Journal,
        store: Store,
        retention: config.Retention,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = journal.folder
        self._store = store
        self._shipper = Shipper(journal.folder, store, clock=clock)
        self._keeper = Keeper(self._shipper, retention, clock)
        self.recorder = Recorder(journal, self._shipper.notify, clock)

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

    async def finish(self, within: float) -> None:
        """Ship what `within` seconds allow and close everything; the rest waits in the journal."""
        self.recorder.close()
        await self._keeper.finish(within)
        await self._store.close()

    async def close(self) -> None:
        """Close everything; another process ships what is in the journal."""
        self.recorder.close()
        await self._shipper.stop()
        await self._store.close()

    @property
    def failures(self) -> int:
        """How often this process could not reach the store, or read the journals."""
        return self._keeper.failures

    async def fresh(self) -> Store:
        """The store, with all that was recorded until now.

        When that takes too long or the store takes nothing, it is returned as it is, and `lag`
        says how far behind; but when it does not answer at all, StoreUnavailable, and soon.
        """
        self.recorder.commit()
        await ping(self._store)
        with suppress(StoreUnavailable, TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await self._shipper.flush()
        return self._store

    async def generation(self, wanted: str, tenants: frozenset[str] | None) -> Generation | None:
        """One record, by our id or the upstream's, as soon as it is recorded, by any process that
        shares the journal folder. StoreUnavailable where only the store could tell and is away."""
        self.recorder.commit()
        return await find_recorded(self._store, self._folder, wanted, tenants)

    async def dossier(self, person: Person) -> AsyncIterator[Sequence[DossierEntry]]:
        """Everything kept of an end user, page by page. Raises StoreUnavailable."""
        return dossier(await self.fresh(), self._folder, person)

    async def erase(self, person: Person, known: Collection[str]) -> Erasure:
        """Forget an end user in the store and in the journals; see `erasure.erase`."""
        self.recorder.commit()
        return await erase(self._shipper, person, known)

    async def lag(self) -> Lag:
        """How far the store is behind the journals."""
        return await self._shipper.lag()
