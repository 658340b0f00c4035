"""The recount, while nothing may change."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from gateway.ledger.counts import Counts, total
from gateway.ledger.packing import readable
from gateway.ledger.redis import keys, periods
from gateway.ledger.redis.activity import all_users
from gateway.ledger.redis.client import Client, Command
from gateway.ledger.redis.generations import all_tenants
from gateway.ledger.redis.keys import Shards
from gateway.ledger.redis.periods import Part
from gateway.ledger.results import Recount
from gateway.ledger.store import StoreUnavailable
from gateway.ledger.topn import Person

_HOLD = 30
_EVER = 10**9
_AT_ONCE = 1000

Sums = dict[int, Counts]
"""Day -> its counters."""


async def recount(client: Client, shards: Shards) -> Recount:
    """Meanwhile shippers have to wait: a batch between two reads would look like drift."""
    async with _held(client, shards):
        days = await periods.days(client, shards, 0, _EVER, None)
        users = await all_users(client, days)
        erasing = await _erasing(client, shards)
        half_erased = [(day, user) for day, user in users if (day.tenant, user) in erasing]
        erased = await _erased(client, shards, days)
        return Recount(
            by_user=_together(await _by_user(client, shards, users), erased),
            by_provider=await _by_provider(client, shards, days),
            by_generation=_together(
                await _by_generation(client, shards, erasing),
                await _by_user(client, shards, half_erased),
                erased,
            ),
            complete_from=await periods.noted(client, shards, "complete_from"),
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


async def _by_user(client: Client, shards: Shards, users: Sequence[tuple[Part, str]]) -> Sums:
    hashes = _read(client, shards, [("HGETALL", day.user(user)) for day, user in users])
    return await _by_day([day.number for day, _ in users], hashes)


async def _by_provider(client: Client, shards: Shards, days: Sequence[Part]) -> Sums:
    hashes = _read(client, shards, [("HGETALL", day.totals) for day in days])
    return await _by_day([day.number for day in days], hashes)


async def _erased(client: Client, shards: Shards, days: Sequence[Part]) -> Sums:
    """What erased users left in the totals."""
    hashes = _read(client, shards, [("HGETALL", day.erased) for day in days])
    sums: Sums = {}
    day = iter(days)
    async for fields in hashes:
        number = next(day).number
        if fields:
            _add(sums, number, periods.single(fields))
    return sums


async def _erasing(client: Client, shards: Shards) -> frozenset[Person]:
    """Some of whose generations may be gone, while their counters are not."""
    members = await client.ask([("ZRANGE", shard.erasing, 0, -1) for shard in shards.all])
    return frozenset((tenant, user) for some in members for tenant, user in map(keys.split, some))


def _together(sums: Sums, *others: Sums) -> Sums:
    for more in others:
        for day, counts in more.items():
            _add(sums, day, counts)
    return sums


async def _by_day(days: Sequence[int], hashes: AsyncIterator[periods.Fields]) -> Sums:
    sums: Sums = {}
    day = iter(days)
    async for fields in hashes:
        _add(sums, next(day), *periods.rows(fields).values())
    return sums


async def _by_generation(client: Client, shards: Shards, without: frozenset[Person]) -> Sums:
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
            if (single.tenant, single.user or "") not in without:
                _add(sums, single.day, Counts.of(single))
    return sums


def _add(sums: Sums, day: int, *counts: Counts) -> None:
    sums[day] = total((sums.get(day, Counts()), *counts))
