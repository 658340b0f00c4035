"""Every kind of store, opened on a folder: what is opened there again finds what was there."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from gateway.ledger.sqlite import SqliteStore
from gateway.ledger.store import Store

OpenStore = Callable[[Path], AbstractAsyncContextManager[Store]]


@asynccontextmanager
async def sqlite(folder: Path) -> AsyncIterator[Store]:
    """A store in `hearth.db` of the folder."""
    store = await SqliteStore.open(folder / "hearth.db")
    try:
        yield store
    finally:
        await store.close()


STORES: dict[str, OpenStore] = {"sqlite": sqlite}
