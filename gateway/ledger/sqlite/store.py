"""The store's methods: each sends functions of the modules beside to the right lane."""

import asyncio
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Self

from gateway.generation import Generation
from gateway.ledger.parcel import Parcel
from gateway.ledger.queries import (
    ActivityQuery,
    CrowdPage,
    CrowdQuery,
    GenerationQuery,
    StandingsQuery,
    UserQuery,
)
from gateway.ledger.results import ActivityRow, Crowd, HourRow, Quantities, Recount, UserRow
from gateway.ledger.spread import Spread
from gateway.ledger.sqlite import (
    crowd,
    days,
    erasing,
    expiry,
    lists,
    recount,
    schema,
    standings,
    users,
    writes,
)
from gateway.ledger.sqlite.lane import Lane
from gateway.ledger.store import StoreUnavailable

_READERS = 3
_AT_ONCE = 2000


class SqliteStore:
    """A store in one file. One thread writes, others read; several processes may share the file.

    What takes seconds has a thread of its own, so that nobody else waits for it.
    """

    at_once = 2000
    """A page that many of them change is written once."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._writer = Lane(path, threads=1)
        self._readers = Lane(path, threads=_READERS)
        self._patient = Lane(path, threads=1)

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Create the file or bring it up to date; StoreUnavailable when that cannot be done."""
        try:
            await asyncio.to_thread(schema.prepare, path)
        except (sqlite3.Error, OSError) as error:
            raise StoreUnavailable(f"{path}: {error}") from error
        return cls(path)

    async def apply(self, parcels: Sequence[Parcel]) -> None:
        """One transaction, synced to the disk."""
        await self._writer.run(partial(writes.apply, parcels=parcels))

    async def positions(self, writers: Collection[str]) -> Mapping[str, int]:
        """See Store."""
        return await self._readers.run(partial(writes.positions, writers=writers))

    async def generation(
        self, generation_id: str, tenants: frozenset[str] | None
    ) -> Generation | None:
        """See Store."""
        return await self._readers.run(
            partial(lists.generation, generation_id=generation_id, tenants=tenants)
        )

    async def generations(self, query: GenerationQuery) -> Sequence[Generation]:
        """See Store."""
        return await self._readers.run(partial(lists.generations, query=query))

    async def activity(self, query: ActivityQuery) -> Sequence[ActivityRow]:
        """See Store."""
        return await self._readers.run(partial(days.activity, query=query))

    async def hours(
        self, since: int, until: int, tenants: frozenset[str] | None
    ) -> Sequence[HourRow]:
        """See Store."""
        return await self._readers.run(
            partial(days.hours, since=since, until=until, tenants=tenants)
        )

    async def active_users(
        self, since: int, until: int, tenants: frozenset[str] | None
    ) -> Mapping[int, int]:
        """See Store."""
        return await self._readers.run(
            partial(days.active_users, since=since, until=until, tenants=tenants)
        )

    async def users(self, query: UserQuery) -> Sequence[UserRow]:
        """See Store."""
        return await self._readers.run(partial(users.users, query=query))

    async def crowd(self, query: CrowdQuery, page: CrowdPage) -> Crowd:
        """See Store."""
        return await self._patient.run(partial(crowd.crowd, query=query, page=page))

    async def quantities(self, query: CrowdQuery) -> Quantities:
        """See Store."""
        return await self._patient.run(partial(crowd.quantities, query=query))

    async def standings(self, query: StandingsQuery) -> Sequence[UserRow]:
        """See Store."""
        return await self._readers.run(partial(standings.standings, query=query))

    async def spread(self, month: int, tenants: frozenset[str] | None) -> Spread:
        """See Store."""
        return await self._readers.run(partial(standings.spread, month=month, tenants=tenants))

    async def recount(self) -> Recount:
        """See Store."""
        return await self._patient.run(recount.recount)

    async def erase(self, tenant: str, user: str) -> int:
        """A piece at a time, so that records can be applied in between."""
        some = partial(erasing.erase_generations, tenant=tenant, user=user, most=_AT_ONCE)
        count = 0
        while erased := await self._writer.run(some):
            count += erased
        while await self._writer.run(partial(erasing.erase_month, tenant=tenant, user=user)):
            continue
        await self._writer.run(erasing.scrub)
        return count

    async def expire(self, generations_before: int, activity_before: int) -> None:
        """A few rows at a time, so that records can be applied in between."""
        await self._writer.run(
            partial(
                expiry.begin,
                generations_before=generations_before,
                activity_before=activity_before,
            )
        )
        for old in expiry.old_rows(generations_before, activity_before):
            while await self._writer.run(partial(expiry.expire_some, old=old, most=_AT_ONCE)):
                continue

    async def close(self) -> None:
        """Finish the work under way; the last process to close folds the log into the file."""
        await self._patient.close()
        await self._readers.close()
        await self._writer.close()
