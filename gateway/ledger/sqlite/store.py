"""The store's methods: each sends one function of `reads` or `writes` to the right lane."""

import asyncio
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Self

from gateway.generation import Generation, Record
from gateway.ledger.months import month_of
from gateway.ledger.sqlite import months, reads, schema, writes
from gateway.ledger.sqlite.lane import Lane
from gateway.ledger.store import (
    ActivityQuery,
    ActivityRow,
    GenerationQuery,
    Recount,
    Spread,
    StandingsQuery,
    StoreUnavailable,
    UserQuery,
    UserRow,
)

_READERS = 3
_EXPIRED_AT_ONCE = 2000


class SqliteStore:
    """A store in one file. One thread writes, others read; several processes may share the file."""

    def __init__(self, path: Path) -> None:
        self._writer = Lane(path, threads=1)
        self._readers = Lane(path, threads=_READERS)

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Create the file or bring it up to date; StoreUnavailable when that cannot be done."""
        try:
            await asyncio.to_thread(schema.prepare, path)
        except (sqlite3.Error, OSError) as error:
            raise StoreUnavailable(f"{path}: {error}") from error
        return cls(path)

    async def apply(self, records: Sequence[Record]) -> None:
        """One transaction, synced to the disk."""
        await self._writer.run(partial(writes.apply, records=records))

    async def positions(self, writers: Collection[str]) -> Mapping[str, int]:
        """See Store."""
        return await self._readers.run(partial(reads.positions, writers=writers))

    async def generation(
        self, generation_id: str, tenants: frozenset[str] | None
    ) -> Generation | None:
        """See Store."""
        return await self._readers.run(
            partial(reads.generation, generation_id=generation_id, tenants=tenants)
        )

    async def generations(self, query: GenerationQuery) -> Sequence[Generation]:
        """See Store."""
        return await self._readers.run(partial(reads.generations, query=query))

    async def activity(self, query: ActivityQuery) -> Sequence[ActivityRow]:
        """See Store."""
        return await self._readers.run(partial(reads.activity, query=query))

    async def users(self, query: UserQuery) -> Sequence[UserRow]:
        """See Store."""
        return await self._readers.run(partial(reads.users, query=query))

    async def standings(self, query: StandingsQuery) -> Sequence[UserRow]:
        """See Store."""
        return await self._readers.run(partial(months.standings, query=query))

    async def spread(self, month: int, tenants: frozenset[str] | None) -> Spread:
        """See Store."""
        return await self._readers.run(partial(months.spread, month=month, tenants=tenants))

    async def recount(self) -> Recount:
        """See Store."""
        return await self._readers.run(reads.recount)

    async def expire(self, generations_before: int, activity_before: int) -> None:
        """A few rows at a time, so that records can be applied in between."""
        await self._writer.run(
            partial(
                writes.begin_expiry,
                generations_before=generations_before,
                activity_before=activity_before,
            )
        )
        await self._expire("generations", generations_before)
        for table in ("activity", "totals"):
            await self._expire(table, activity_before)
        for table in ("months", "spreads"):
            await self._expire(table, month_of(max(0, activity_before)))

    async def close(self) -> None:
        """Finish the work under way; the last process to close folds the log into the file."""
        await self._readers.close()
        await self._writer.close()

    async def _expire(self, table: str, before: int) -> None:
        expire = partial(writes.expire_some, table=table, before=before, most=_EXPIRED_AT_ONCE)
        while await self._writer.run(expire):
            continue
