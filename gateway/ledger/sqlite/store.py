"""The store's methods: each runs functions of the other modules on the right threads."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Self

from gateway.generation import Generation
from gateway.ledger.parcel import Parcel
from gateway.ledger.queries import (
    ActivityQuery,
    GenerationQuery,
    LeaderboardQuery,
    SearchPage,
    UserQuery,
    UserSearch,
)
from gateway.ledger.results import ActivityRow, Distribution, FoundUsers, HourRow, Recount, UserRow
from gateway.ledger.spread import Spread
from gateway.ledger.sqlite import (
    activity,
    applying,
    erasing,
    expiry,
    generations,
    leaderboard,
    recount,
    schema,
    search,
    spread,
    users,
)
from gateway.ledger.sqlite.executor import Executor
from gateway.ledger.store import StoreUnavailable

_READERS = 3
_AT_ONCE = 2000


class SqliteStore:
    """A store in one file. One thread writes, others read; several processes may share the file.

    What takes seconds has a thread of its own, so that nobody else waits for it.
    """

    batch_size = 2000
    """A page that many of them change is written once."""

    def __init__(self, path: Path, file: os.stat_result) -> None:
        self.name = str(path)
        self._writer = Executor(path, file, threads=1, connect=schema.connect_to_write)
        self._readers = Executor(path, file, threads=_READERS)
        self._patient = Executor(path, file, threads=1)

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Create the file or bring it up to date; StoreUnavailable when that cannot be done."""
        try:
            file = await asyncio.to_thread(schema.prepare, path)
        except (sqlite3.Error, OSError) as error:
            raise StoreUnavailable(f"{path}: {error}") from error
        return cls(path, file)

    async def apply(self, parcels: Sequence[Parcel]) -> None:
        """One transaction, synced to the disk."""
        await self._writer.run(partial(applying.apply, parcels=parcels))

    async def positions(self, writers: Collection[str]) -> Mapping[str, int]:
        """See Store."""
        return await self._readers.run(partial(applying.positions, writers=writers))

    async def generation(
        self, generation_id: str, tenants: frozenset[str] | None
    ) -> Generation | None:
        """See Store."""
        return await self._readers.run(
            partial(generations.generation, generation_id=generation_id, tenants=tenants)
        )

    async def generations(self, query: GenerationQuery) -> Sequence[Generation]:
        """See Store."""
        return await self._readers.run(partial(generations.generations, query=query))

    async def activity(self, query: ActivityQuery) -> Sequence[ActivityRow]:
        """See Store."""
        return await self._readers.run(partial(activity.activity, query=query))

    async def hours(
        self, since: int, until: int, tenants: frozenset[str] | None
    ) -> Sequence[HourRow]:
        """See Store."""
        return await self._readers.run(
            partial(activity.hours, since=since, until=until, tenants=tenants)
        )

    async def active_users(
        self, since: int, until: int, tenants: frozenset[str] | None
    ) -> Mapping[int, int]:
        """See Store."""
        return await self._readers.run(
            partial(activity.active_users, since=since, until=until, tenants=tenants)
        )

    async def users(self, query: UserQuery) -> Sequence[UserRow]:
        """See Store."""
        return await self._readers.run(partial(users.users, query=query))

    async def everyone(self, since: int, until: int) -> AsyncIterator[Sequence[UserRow]]:
        """See Store."""
        some = partial(users.named_after, since=since, until=until, most=_AT_ONCE)
        after = None
        while rows := await self._readers.run(partial(some, after=after)):
            yield rows
            after = rows[-1].tenant, rows[-1].user or ""

    async def search_users(self, query: UserSearch, page: SearchPage) -> FoundUsers:
        """See Store."""
        return await self._patient.run(partial(search.search_users, query=query, page=page))

    async def distribution(self, query: UserSearch) -> Distribution:
        """See Store."""
        return await self._patient.run(partial(search.distribution, query=query))

    async def leaderboard(self, query: LeaderboardQuery) -> Sequence[UserRow]:
        """See Store."""
        return await self._readers.run(partial(leaderboard.leaderboard, query=query))

    async def spread(self, month: int, tenants: frozenset[str] | None) -> Spread:
        """See Store."""
        return await self._readers.run(partial(spread.spread, month=month, tenants=tenants))

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
