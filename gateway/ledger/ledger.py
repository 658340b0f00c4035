"""The ledger as the rest of the gateway sees it: record a generation, read what was recorded."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

from gateway import config
from gateway.generation import Generation
from gateway.ledger.journal import Journal, JournalError
from gateway.ledger.redis import RedisStore
from gateway.ledger.shipper import Lag, Shipper
from gateway.ledger.sqlite import SqliteStore
from gateway.ledger.store import Store, StoreUnavailable
from gateway.ledger.verify import Verdict, verify

_PATIENCE = 5.0
_EXPIRE_EVERY = 3600.0
_DAY = 86400

_log = logging.getLogger(__name__)


async def open_store(url: str) -> Store:
    """The store of `ledger.url`. Raises StoreUnavailable when it cannot be opened."""
    scheme, _, rest = url.partition(":")
    if scheme == "sqlite":
        return await SqliteStore.open(Path(rest))
    if scheme.startswith("redis"):
        return RedisStore.at(url)
    raise StoreUnavailable(f"{scheme}: no such kind of store; `sqlite:` and `redis:` are")


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
        self._retention = retention
        self._clock = clock
        self._shipper = Shipper(journal.folder, store, clock=clock)
        self._losing = False
        self._expiry: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, section: config.Ledger) -> Self:
        """As configured. Raises StoreUnavailable or JournalError when it cannot work at all."""
        store = await open_store(section.url)
        try:
            journal = await asyncio.to_thread(Journal, Path(section.journal))
        except JournalError:
            await store.close()
            raise
        return cls(journal, store, section.retention)

    def start(self) -> None:
        """Ship and forget in the background."""
        self._shipper.start()
        self._expiry = asyncio.create_task(self._expire_regularly())

    async def stop(self, within: float) -> None:
        """Ship what `within` seconds allow and close everything; the rest waits in the journal."""
        if self._expiry:
            self._expiry.cancel()
            await asyncio.wait([self._expiry])
        self._journal.close()
        await self._shipper.stop(within)
        await self._store.close()

    def record(self, generation: Generation) -> None:
        """Make it safe and wake the shipper. Never raises: a full disk does not stop traffic."""
        try:
            self._journal.append(generation)
        except JournalError as error:
            self._lose(error)
        else:
            self._losing = False
            self._shipper.notify()

    async def fresh(self) -> Store:
        """The store, with all that was recorded until now.

        When that takes too long or the store takes nothing, it is returned as it is: it may still
        answer, and `lag` says how far behind.
        """
        with suppress(StoreUnavailable, TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await self._shipper.flush()
        return self._store

    async def lag(self) -> Lag:
        """How far the store is behind the journals."""
        return await self._shipper.lag()

    async def verify(self) -> Verdict:
        """Ship everything, then recount. Raises StoreUnavailable."""
        await self._shipper.flush()
        return await verify(self._store)

    async def expire(self) -> None:
        """Forget what is past its retention."""
        now = self._clock()
        generations_before = int((now - self._retention.generations) * 1_000_000)
        activity_before = int(now - self._retention.activity) // _DAY
        await self._store.expire(generations_before, activity_before)

    async def _expire_regularly(self) -> None:
        while True:
            try:
                await self.expire()
            except StoreUnavailable as error:
                _log.warning("retention waits for the store: %s", error)
            await asyncio.sleep(_EXPIRE_EVERY)

    def _lose(self, error: JournalError) -> None:
        self.lost += 1
        if not self._losing:
            _log.error("generations are being lost: %s", error)
        self._losing = True
