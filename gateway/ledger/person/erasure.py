"""Erasing one end user: from the store, and from the journals on this machine."""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress

import msgspec

from gateway.ledger.lock import exclusive
from gateway.ledger.person.holdings import holdings
from gateway.ledger.person.traces import Person, redact
from gateway.ledger.shipper import Shipper
from gateway.ledger.store import StoreUnavailable

_TIMEOUT = 10.0


class Erasure(msgspec.Struct, frozen=True, kw_only=True):
    """What was erased: journal lines, and generations in the store by tenant.

    `error`: why the store erased nothing or not all; None when nothing is left of the person.
    """

    lines: int
    generations: Mapping[str, int]
    error: str | None = None


async def erase(shipper: Shipper, person: Person, known: Collection[str]) -> Erasure:
    """Erase the person: of its tenants, or of the `known` ones and all that the ledger has.

    What the calls cost stays in the totals of their days, without a user. When the store is away
    the journals are redacted all the same; it may be repeated until it is complete. What settles
    meanwhile may be kept, and what other machines have not shipped yet is.
    """
    folder = shipper.folder
    with suppress(StoreUnavailable, TimeoutError):  # what waits then counts without a user
        async with asyncio.timeout(_TIMEOUT):
            await shipper.flush()
    await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True, exist_ok=True)
    async with exclusive(folder):
        generations: dict[str, int] = {}
        error = None
        try:
            for tenant in await _tenants(shipper, person, known):
                generations[tenant] = await shipper.store.erase(tenant, person.user)
        except StoreUnavailable as unavailable:
            error = str(unavailable)
        lines = await asyncio.to_thread(redact, folder, person)
    return Erasure(lines=lines, generations=generations, error=error)


async def _tenants(shipper: Shipper, person: Person, known: Collection[str]) -> Collection[str]:
    if person.tenants is not None:
        return sorted(person.tenants)
    met = await holdings(shipper.store, shipper.folder, person)
    return sorted({*known, *(held.tenant for held in met)})
