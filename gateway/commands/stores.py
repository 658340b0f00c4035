"""The store as commands use it: beside a running gateway or without one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.config import Ledger as Section
from gateway.ledger.ledger import open_store
from gateway.ledger.shipper import Shipper


@asynccontextmanager
async def open_shipper(section: Section) -> AsyncIterator[Shipper]:
    """The configured store and the journals before it; StoreUnavailable if it cannot be opened."""
    store = await open_store(section.url, section.retention)
    try:
        yield Shipper(Path(section.journal), store)
    finally:
        await store.close()
