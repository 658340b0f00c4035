"""The recount, while nothing may change."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from gateway.ledger.counts import Counts, total
from gateway.ledger.packing import readable
from gateway.ledger.redis import periods
from gateway.ledger.redis.activity import all_users
from gateway.ledger.redis.client import Client, Command
from gateway.ledger.redis.generations import all_tenants
from gateway.ledger.redis.keys import Shards
from gateway.ledger.results import Recount
from gateway.ledger.store import StoreUnavailable

_HOLD = 30
_EVER = 10**9
_AT_ONCE = 1000

Sums = dict[int, Counts]
"""Day -> its counters."""


async def recount(client: Client, shards: Shards) -> Recount:
    """Meanwhile shippers have to wait: a batch between two reads would look like drift."""
    async with _held(client, shards):
        erased = await _erased(client, shards)
        return Recount(
            by_user=_together(await _by_user(client, shards), erased),
            by_provider=await _by_provider(client, shards),
            by_generation=_together(await _by_generation(client, shards), erased),
            complete_from=await _complete_from(client, shards),
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


async def _read(client: Client, shards: Shards, commands: Sequence[Command]) -> AsyncIterator[Any]:
    """The replies in order, some at a time."""
    renew: list[Command] = [("EXPIRE", shard.hold, _HOLD) for shard in shards.all]
    for start in range(0, len(commands), _AT_ONCE):
        part = commands[start : start + _AT_ONCE]
        for reply in (await client.ask([*part, *renew]))[: len(part)]:
            yield reply


async def _by_user(client: Client, shards: Shards) -> Sums:
    users = await all_users(client, await periods.days(client, shards, 0, _EVER, None))
    hashes = _read(client, shards, [("HGETALL", day.user(user)) for day, user in users])
    return await _by_day([day.number for day, _ in users], hashes)


async def _by_provider(client: Client, shards: Shards) -> Sums:
    days = await periods.days(client, shards, 0, _EVER, None)
    hashes = _read(client, shards, [("HGETALL", day.totals) for day in days])
    return await _by_day([day.number for day in days], hashes)


async def _erased(client: Client, shards: Shards) -> Sums:
    """What erased users left in the totals."""
    days = await periods.days(client, shards, 0, _EVER, None)
    hashes = _read(client, shards, [("HGETALL", day.erased) for day in days])
    sums: Sums = {}
    day = iter(days)
    async for fields in hashes:
        number = next(day).number
        if fields:
            _add(sums, number, periods.single(fields))
    return sums


def _together(sums: Sums, more: Sums) -> Sums:
    for day, counts in more.items():
        _add(sums, day, counts)
    return sums


async def _by_day(days: Sequence[int], hashes: AsyncIterator[periods.Fields]) -> Sums:
    sums: Sums = {}
    day = iter(days)
    async for fields in hashes:
        _add(sums, next(day), *periods.rows(fields).values())
    return sums


async def _by_generation(client: Client, shards: Shards) -> Sums:
    """Out of the full records, not out of anything that was derived from them."""
    homes = [
        (shard, tenant)
        for tenant in await all_tenants(client, shards, None)
        for shard in shards.all
    ]
    lists = await client.ask([("ZRANGE", shard.newest(tenant), 0, -1) for shard, tenant in homes])
    commands: list[Command] = [
        ("GET", shard.generation(one.decode()))
        for (shard, _), some in zip(homes, lists, strict=True)
        for one in some
    ]
    sums: Sums = {}
    async for record in _read(client, shards, commands):
        for single in readable([record]):
            _add(sums, single.day, Counts.of(single))
    return sums


async def _complete_from(client: Client, shards: Shards) -> int:
    cut = await client.ask([("HGET", shard.retention, "complete_from") for shard in shards.all])
    return max(int(first or 0) for first in cut)


def _add(sums: Sums, day: int, *counts: Counts) -> None:
    sums[day] = total((sums.get(day, Counts()), *counts))
