"""Everything kept of one end user, as entries for an export."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from gateway.calendar import whole_days
from gateway.generation import Generation
from gateway.ledger.named import NamedGeneration, named
from gateway.ledger.paging import pages_of
from gateway.ledger.person.holdings import daily_rows
from gateway.ledger.person.traces import Person, find_traces
from gateway.ledger.queries import EVERY_TENANT, GenerationQuery, UserQuery
from gateway.ledger.results import ActivityRow, UserRow
from gateway.ledger.store import Store


class DossierEntry(msgspec.Struct, frozen=True):
    """One record as the ledger has it; units are those of the record's class.

    `kind`: `user`, all there is summed up; `day`, the counters of one day, model, provider and
    route; `generation`, one request.
    """

    kind: Literal["user", "day", "generation"]
    record: UserRow | ActivityRow | NamedGeneration


def generation_entry(generation: Generation) -> DossierEntry:
    """One request."""
    return DossierEntry("generation", named(generation))


async def dossier(
    store: Store, folder: Path, person: Person
) -> AsyncIterator[Sequence[DossierEntry]]:
    """All entries, page by page: sums first, then days and generations, newest first, and last
    generations that only a journal has. Raises StoreUnavailable.
    """
    yield [DossierEntry("user", row) for row in await _sums(store, person)]
    yield [DossierEntry("day", row) for row in await daily_rows(store, person)]
    query = GenerationQuery(tenants=person.tenants, user=person.user)
    async for rows in pages_of(store, query):
        yield [generation_entry(row) for row in rows]
    for row in await journaled(folder, person):
        if await store.generation(row.id, frozenset((row.tenant,))) is None:
            yield [generation_entry(row)]


async def journaled(folder: Path, person: Person) -> Sequence[Generation]:
    """What the journals hold of the person, applied or not."""
    return await asyncio.to_thread(lambda: list(find_traces(folder, person)))


async def _sums(store: Store, person: Person) -> Sequence[UserRow]:
    until, tenants = whole_days(time.time()) + 1, person.tenants
    return await store.users(
        UserQuery(since=0, until=until, tenants=tenants, user=person.user, limit=EVERY_TENANT)
    )
