"""What the ledger keeps of one end user, key by key."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from gateway.calendar import whole_days
from gateway.ledger.paging import pages_of
from gateway.ledger.person.traces import Person, find_traces
from gateway.ledger.queries import ActivityQuery, GenerationQuery
from gateway.ledger.results import ActivityRow
from gateway.ledger.store import Store


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept for one tenant's user: requests in the daily rows, and lines in journals."""

    tenant: str
    requests: int
    lines: int


async def holdings(store: Store, folder: Path, person: Person) -> Sequence[Holding]:
    """For each tenant of the person that has anything, by name. Raises StoreUnavailable."""
    lines = await lines_by_tenant(folder, person)
    requests = Counter[str]()
    for row in await daily_rows(store, person):
        requests[row.tenant or ""] += row.counts.requests
    query = GenerationQuery(tenants=person.tenants, user=person.user)
    singles = {one.tenant async for page in pages_of(store, query) for one in page}
    return [
        Holding(tenant=tenant, requests=requests[tenant], lines=lines.get(tenant, 0))
        for tenant in sorted({*lines, *requests, *singles})
    ]


async def lines_by_tenant(folder: Path, person: Person) -> Mapping[str, int]:
    """Tenant -> how many journal lines there are of the person."""

    def count() -> Mapping[str, int]:
        return Counter(generation.tenant for generation in find_traces(folder, person))

    return await asyncio.to_thread(count)


async def daily_rows(store: Store, person: Person) -> Sequence[ActivityRow]:
    """All there are, newest first; a clock that ran ahead may have counted on the day to come."""
    query = ActivityQuery(
        since=0,
        until=whole_days(time.time()) + 1,
        tenants=person.tenants,
        users=frozenset((person.user,)),
        by=frozenset(("tenant", "user", "route")),
    )
    return await store.activity(query)
