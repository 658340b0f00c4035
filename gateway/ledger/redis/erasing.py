"""Erasing one end user, a few keys at a time; what leads to the rest goes last."""

from collections.abc import Iterable, Sequence

from gateway.generation import Generation
from gateway.ledger.packing import readable
from gateway.ledger.redis import keys, periods
from gateway.ledger.redis.batch import Removal, ScriptBatch, ScriptCall, call_of
from gateway.ledger.redis.client import Client, Command
from gateway.ledger.redis.expiry import obsolete
from gateway.ledger.redis.key_table import KeyTable
from gateway.ledger.redis.keys import Shard, Shards
from gateway.ledger.redis.lifetimes import Lifetimes
from gateway.ledger.redis.periods import Part
from gateway.ledger.redis.unusual import kinds_of

_AT_ONCE = 500


async def erase(
    client: Client, shards: Shards, lifetimes: Lifetimes, tenant: str, user: str
) -> int:
    """See Store. All of a user is on one shard.

    It is noted first, so that a recount does not miss the generations that are gone when this ends
    before its time. Counters of a period are moved to those of erased users, which is only done
    while the user has no generations: any that came in the meantime are erased first.
    """
    shard = shards.of(tenant, user)
    await client.run([_noting_call(shard, lifetimes, tenant, user)])
    erased, is_done = 0, False
    while not is_done:
        erased += await _erase_generations(client, shard, tenant, user)
        is_done = await _remove_from_periods(client, shards, lifetimes, shard, tenant, user)
    await client.ask([("ZREM", shard.erasing, keys.joined(tenant, user))])
    return erased


def _noting_call(shard: Shard, lifetimes: Lifetimes, tenant: str, user: str) -> ScriptCall:
    """A call, since none is taken during a recount."""
    table = KeyTable(shard, lifetimes)
    number = table.expiring(shard.erasing, lifetimes.of_registers)
    return call_of(table, ScriptBatch(registers=[[number, 0, keys.joined(tenant, user)]]))


async def _remove_from_periods(
    client: Client, shards: Shards, lifetimes: Lifetimes, shard: Shard, tenant: str, user: str
) -> bool:
    """Remove the user from days and months; False as soon as a generation is in the way."""
    for part in await periods.parts(client, shards, "-inf", "+inf", "dm"):
        if part.shard is shard and part.tenant == tenant:
            [left] = await client.run([_removal_call(part, user, lifetimes)])
            if isinstance(left, int):
                return False
    return True


def _removal_call(part: Part, user: str, lifetimes: Lifetimes) -> ScriptCall:
    """A call that counts nothing and removes a user from a day or a month."""
    table, end = KeyTable(part.shard, lifetimes), lifetimes.of_period(part.period)
    is_day = part.period[0] == "d"
    orders = keys.DAY_ORDERS if is_day else keys.MONTH_ORDERS
    removal = Removal(
        user=user,
        newest=table.expiring(
            part.shard.newest_of_user(part.tenant, user), lifetimes.of_generations
        ),
        kept=table.expiring(part.user(user), end),
        boards=table.boards(part.period, part.tenant, orders),
        erased=table.expiring(part.erased, end) if is_day else None,
        spread=None if is_day else table.expiring(part.spread, end),
    )
    return call_of(table, ScriptBatch(removals=[removal]))


async def _erase_generations(client: Client, shard: Shard, tenant: str, user: str) -> int:
    """Delete all that are on the user's list; returns how many there were."""
    own = shard.newest_of_user(tenant, user)
    erased = 0
    while ids := await _first(client, own):
        erased += await _erase_these(client, shard, tenant, ids)
        await client.ask([("ZREM", own, *ids)])
    return erased


async def _first(client: Client, own: str) -> list[str]:
    [ids] = await client.ask([("ZRANGE", own, 0, _AT_ONCE - 1)])
    return [each.decode() for each in ids]


async def _erase_these(client: Client, shard: Shard, tenant: str, ids: Sequence[str]) -> int:
    kept = await client.ask([("GET", shard.generation(each)) for each in ids])
    generations = list(readable(kept))
    upstream = [shard.upstream(tenant, e.upstream_id) for e in generations if e.upstream_id]
    await client.ask(
        [
            *await obsolete(client, upstream, ids),
            *_taken_off(shard, tenant, generations),
            *(("UNLINK", shard.generation(each)) for each in ids),
        ]
    )
    return len(generations)


def _taken_off(shard: Shard, tenant: str, generations: Iterable[Generation]) -> Iterable[Command]:
    """Commands that take generations off the lists they share with other users'."""
    for one in generations:
        served = shard.served(tenant, one.model or "", one.provider or "")
        kinds = kinds_of(one.status, one.outcome, bool(one.flags))
        unusual = (shard.unusual(tenant, kind) for kind in kinds)
        for key in (shard.newest(tenant), served, *unusual):
            yield "ZREM", key, one.id
