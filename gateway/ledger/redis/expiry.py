"""Expiring what is past its retention, a few keys at a time, so that records can be applied in
between.

What leads to the rest goes last: after a crash midway the next run still finds everything.
"""

from collections.abc import Sequence

from gateway.calendar import DAY, HOUR
from gateway.ledger.packing import readable
from gateway.ledger.redis import keys, periods
from gateway.ledger.redis.batch import ScriptBatch, call_of
from gateway.ledger.redis.client import Client, Command
from gateway.ledger.redis.generations import all_tenants
from gateway.ledger.redis.key_table import KeyTable
from gateway.ledger.redis.keys import Shard, Shards
from gateway.ledger.redis.lifetimes import Lifetimes
from gateway.ledger.redis.periods import Part
from gateway.ledger.redis.unusual import kinds_of

_AT_ONCE = 500


async def expire(
    client: Client,
    shards: Shards,
    lifetimes: Lifetimes,
    generations_before: int,
    activity_before: int,
) -> None:
    """See Store. What is about to be incomplete is noted first."""
    cuts = _cuts(generations_before, activity_before)
    if 0 < await periods.noted(client, shards, "longest") < lifetimes.retention.generations:
        cuts["complete_from"] = lifetimes.tomorrow  # what is there still goes when it was to
    cuts["longest"] = int(lifetimes.retention.generations)
    await client.run(
        [call_of(KeyTable(shard, lifetimes), ScriptBatch(retention=cuts)) for shard in shards.all]
    )
    for tenant in await all_tenants(client, shards, None):
        for shard in shards.all:
            while await _expire_some(client, shard, tenant, generations_before):
                continue
    await client.ask(
        [("ZREMRANGEBYSCORE", shard.tenants, "-inf", f"({generations_before}")
         for shard in shards.all]
    )  # fmt: skip
    for part in await periods.parts(client, shards, "-inf", f"({activity_before}", "dm"):
        await _expire_part(client, part)
    for part in await periods.hours(client, shards, 0, generations_before // HOUR - 1, None):
        await _expire_part(client, part)


def _cuts(generations_before: int, activity_before: int) -> dict[str, int]:
    """The first days of which all is kept, rows are, and anything is."""
    return {
        "complete_from": max(-(-generations_before // DAY), activity_before),
        "activity_from": activity_before,
        "kept_from": min(generations_before // DAY, activity_before),
    }


async def _expire_some(client: Client, shard: Shard, tenant: str, before: int) -> bool:
    """Forget the oldest of a tenant on one shard; whether there were any."""
    span = ("-inf", f"({before}")
    [ids] = await client.ask([("ZRANGEBYSCORE", shard.newest(tenant), *span, "LIMIT", 0, _AT_ONCE)])
    ids = [each.decode() for each in ids]
    if not ids:
        return False
    kept = await client.ask([("GET", shard.generation(each)) for each in ids])
    generations = list(readable(kept))
    users = {each.user or "" for each in generations}
    pairs = {(each.model or "", each.provider or "") for each in generations}
    kinds = {
        kind
        for each in generations
        for kind in kinds_of(each.status, each.outcome, bool(each.flags))
    }
    lists = [
        *(shard.unusual(tenant, kind) for kind in kinds),
        *(shard.newest_of_user(tenant, user) for user in users),
        *(shard.served(tenant, model, provider) for model, provider in pairs),
        shard.pairs(tenant),
    ]
    upstream = [shard.upstream(tenant, e.upstream_id) for e in generations if e.upstream_id]
    await client.ask(
        [
            *await obsolete(client, upstream, ids),
            *(("ZREMRANGEBYSCORE", key, *span) for key in lists),
            *(("UNLINK", shard.generation(each)) for each in ids),
        ]
    )
    await client.ask([("ZREM", shard.newest(tenant), *ids)])
    return True


async def obsolete(client: Client, upstream: Sequence[str], ids: Sequence[str]) -> list[Command]:
    """To unlink what refers to one of `ids`; an upstream id that was used again is kept.

    Where an older generation with that upstream id is left, it is found by its own id alone.
    """
    references = await client.ask([("GET", key) for key in upstream])
    gone = set(ids)
    return [
        ("UNLINK", key)
        for key, reference in zip(upstream, references, strict=True)
        if reference and reference.decode().partition(" ")[2] in gone
    ]


async def _expire_part(client: Client, part: Part) -> None:
    users = await periods.all_users(client, [part])
    await client.ask([("UNLINK", part.user(user)) for _, user in users])
    orders = {"h": (), "d": keys.DAY_ORDERS, "m": keys.MONTH_ORDERS}[part.period[0]]
    await client.ask(
        [
            ("UNLINK", part.totals, part.rows, part.erased, part.spread, *map(part.board, orders)),
            ("ZREM", part.shard.periods, keys.joined(part.period, part.tenant)),
        ]
    )
