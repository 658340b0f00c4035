"""The store as commands use it: beside a running gateway or without one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.commands.output import tell
from gateway.config import Ledger as Section
from gateway.ledger.shipper import Shipper
from gateway.ledger.stores import open_store


@asynccontextmanager
async def open_shipper(section: Section) -> AsyncIterator[Shipper]:
    """The configured store and the journals before it; StoreUnavailable if it cannot be opened."""
    _warn_of_another_folder(section.url)
    store = await open_store(section.url, section.retention)
    try:
        yield Shipper(Path(section.journal), store)
    finally:
        await store.close()


def _warn_of_another_folder(url: str) -> None:
    """An empty ledger looks like one that was looked for in the wrong folder."""
    path = Path(url.removeprefix("sqlite:"))
    if url.startswith("sqlite:") and not path.is_absolute() and not path.exists():
        tell(
            f"hearth: no {path} in {Path.cwd()}, where relative paths of `ledger` start: "
            "nothing was recorded here yet"
        )
