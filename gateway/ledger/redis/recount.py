"""The recount, while nothing may change."""

import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from gateway.generation import Generation
from gateway.ledger.counts import Counts, total
from gateway.ledger.queries import GenerationQuery
from gateway.ledger.redis import keys, periods
from gateway.ledger.redis.client import Client, Command
from gateway.ledger.redis.generations import Place, all_tenants, newest, records
from gateway.ledger.redis.hashes import counts_by_row, counts_of
from gateway.ledger.redis.keys import Shards
from gateway.ledger.redis.periods import Part
from gateway.ledger.results import Recount
from gateway.ledger.store import StoreUnavailable
from gateway.ledger.topn import TenantUser

_HOLD = 30
_EVER = 10**9
_AT_ONCE = 1000

Days = dict[int, Counts]
"""Day -> its counters."""


async def recount(client: Client, shards: Shards) -> Recount:
    """Meanwhile shippers have to wait: a batch between two reads would look like drift."""
    by_user: Days = {}
    by_provider: Days = {}
    by_generation: Days = {}
    async with _held(client, shards):
        erasing = await _erasing(client, shards)
        for day in await periods.days(client, shards, 0, _EVER, None):
            totals, erased = await client.ask([("HGETALL", day.totals), ("HGETALL", day.erased)])
            _add(by_provider, day.number, *counts_by_row(totals).values())
            for days in (by_user, by_generation) if erased else ():
                _add(days, day.number, counts_of(erased))
            async for user, rows in _users(client, shards, day):
                _add(by_user, day.number, *rows)
                if (day.tenant, user) in erasing:
                    _add(by_generation, day.number, *rows)
        async for one in _generations(client, shards):
            if (one.tenant, one.user or "") not in erasing:
                _add(by_generation, one.day, Counts.of(one))
        complete_from = await periods.noted(client, shards, "complete_from")
    return Recount(
        by_user=by_user,
        by_provider=by_provider,
        by_generation=by_generation,
        complete_from=complete_from,
    )


@asynccontextmanager
async def _held(client: Client, shards: Shards) -> AsyncIterator[None]:
    """Nothing is applied; should this process die, for no longer than `_HOLD` seconds.

    StoreUnavailable when something may have been: each read renews the hold, one took too long.
    """
    await client.ask([("SET", shard.hold, 1, "EX", _HOLD) for shard in shards.all])
    try:
        yield
    finally:
        held = await client.ask([("DEL", shard.hold) for shard in shards.all])
    if not all(held):
        raise StoreUnavailable("the recount was interrupted; try again")


async def _ask(client: Client, shards: Shards, commands: Sequence[Command]) -> list[Any]:
    """The replies; the hold is renewed."""
    renew: list[Command] = [("EXPIRE", shard.hold, _HOLD) for shard in shards.all]
    return (await client.ask([*commands, *renew]))[: len(commands)]


async def _erasing(client: Client, shards: Shards) -> frozenset[TenantUser]:
    """Some of whose generations may be gone, while their counters are not."""
    members = await client.ask([("ZRANGE", shard.erasing, 0, -1) for shard in shards.all])
    return frozenset((tenant, user) for some in members for tenant, user in map(keys.split, some))


async def _users(
    client: Client, shards: Shards, day: Part
) -> AsyncIterator[tuple[str, Sequence[Counts]]]:
    """Each user of a day with its rows; the board stays as it is while it is read."""
    for start in itertools.count(0, _AT_ONCE):
        page = ("ZRANGE", day.board("requests"), start, start + _AT_ONCE - 1)
        [users] = await _ask(client, shards, [page])
        names = [user.decode() for user in users]
        hashes = await _ask(client, shards, [("HGETALL", day.user(name)) for name in names])
        for name, fields in zip(names, hashes, strict=True):
            yield name, list(counts_by_row(fields).values())
        if len(names) < _AT_ONCE:
            return


async def _generations(client: Client, shards: Shards) -> AsyncIterator[Generation]:
    """Each that is kept: the full records, not anything that was derived from them."""
    every = itertools.product(shards.all, await all_tenants(client, shards, None))
    for shard, tenant in every:
        lists = [(shard, shard.newest(tenant))]
        before: Place | None = None
        while places := await newest(client, lists, GenerationQuery(), before, _AT_ONCE):
            for one in await records(client, places):
                yield one
            before = places[-1][0]
            await _ask(client, shards, ())


def _add(days: Days, day: int, *counts: Counts) -> None:
    days[day] = total((days.get(day, Counts()), *counts))
