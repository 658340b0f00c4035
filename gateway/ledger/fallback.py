"""Reads that answer soon even when the store lags or is away."""

import asyncio
from collections.abc import Collection, Mapping
from pathlib import Path

from gateway.generation import Generation
from gateway.ledger.lookup import SearchTooLong, find_generation
from gateway.ledger.store import Store, StoreUnavailable

_TIMEOUT = 1.0
_SEARCH = 2.0
"""Seconds to search the journals: about 9 GB of files in the page cache, 2 GB of others."""


async def positions(
    store: Store, writers: Collection[str], within: float = _TIMEOUT
) -> Mapping[str, int]:
    """The writers' positions; the store is asked even if there are no writers.

    StoreUnavailable when it has not answered after `within` seconds.
    """
    try:
        async with asyncio.timeout(within):
            return await store.positions(writers or ("nobody",))
    except TimeoutError:
        raise _silent(store, within) from None


async def ping(store: Store, within: float = _TIMEOUT) -> None:
    """Return when the store answers; StoreUnavailable when it has not after `within` seconds."""
    await positions(store, (), within)


async def find_recorded(
    store: Store,
    folder: Path,
    wanted: str,
    tenants: frozenset[str] | None,
    *,
    within: float = _TIMEOUT,
    search_within: float = _SEARCH,
) -> Generation | None:
    """One generation, by our id or the upstream's, wherever it is by now.

    The store, else the journals of the folder, else the store again, since it may have been
    shipped in between. StoreUnavailable when no journal has it and the store has not answered
    after `within` seconds, or when the journals are not searched after `search_within`.
    """
    try:
        async with asyncio.timeout(within):
            found, away = await store.generation(wanted, tenants), None
    except TimeoutError:
        found, away = None, _silent(store, within)
    except StoreUnavailable as error:
        found, away = None, error
    found = found or await _journaled(store, folder, wanted, tenants, search_within)
    if found is None and away:
        raise away
    return found or await store.generation(wanted, tenants)


async def _journaled(
    store: Store, folder: Path, wanted: str, tenants: frozenset[str] | None, within: float
) -> Generation | None:
    try:
        return await asyncio.to_thread(find_generation, folder, wanted, tenants, within)
    except SearchTooLong as error:
        raise StoreUnavailable(f"{store.name}: far behind, and in the journals {error}") from error


def _silent(store: Store, within: float) -> StoreUnavailable:
    return StoreUnavailable(f"{store.name}: no answer within {within:g} s")
