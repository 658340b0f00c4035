"""The ledger as commands use it: beside a running gateway or without one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.config import Ledger as Section
from gateway.ledger.opening import open_store
from gateway.ledger.shipper import Shipper
from gateway.ledger.store import StoreUnavailable


@asynccontextmanager
async def open_shipper(section: Section) -> AsyncIterator[Shipper]:
    """The configured store and the journals before it; StoreUnavailable if it cannot be opened, or
    where no gateway has been."""
    _check_paths(section)
    store = await open_store(section.url, section.retention)
    try:
        yield Shipper(Path(section.journal), store)
    finally:
        await store.close()


def _check_paths(section: Section) -> None:
    """An empty ledger looks like one that was looked for in the wrong folder."""
    file, journal = Path(section.url.removeprefix("sqlite:")), Path(section.journal)
    if section.url.startswith("sqlite:") and not file.exists() and not journal.exists():
        raise StoreUnavailable(
            f"neither {file} nor {journal} exists: nothing was recorded yet, or elsewhere; "
            f"relative paths in `ledger` start from {Path.cwd()}"
        )
