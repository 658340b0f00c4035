"""Forgetting one end user, a few keys at a time; what leads to the rest goes last."""

from collections.abc import Iterable

from gateway.generation import Generation
from gateway.ledger.redis import batch, periods
from gateway.ledger.redis.client import Client, Command
from gateway.ledger.redis.expiry import obsolete
from gateway.ledger.redis.generations import decode
from gateway.ledger.redis.keys import Keys, Shards

_AT_ONCE = 500
_EVER = 10**9


async def erase(client: Client, shards: Shards, tenant: str, user: str) -> int:
    """See Store. All of a user is on one shard."""
    names = shards.of(tenant, user)
    erased = 0
    while some := await _erase_some(client, names, tenant, user):
        erased += some
    for part in await periods.parts(client, shards, 0, _EVER):
        if part.names is names and part.tenant == tenant and part.period[0] in "dm":
            await client.apply([batch.erasing(names, tenant, user, [part.period])])
    return erased


async def _erase_some(client: Client, names: Keys, tenant: str, user: str) -> int:
    """Forget some of the generations; how many it were."""
    own = names.newest_of_user(tenant, user)
    [found] = await client.ask([("ZRANGE", own, 0, _AT_ONCE - 1)])
    ids = [each.decode() for each in found]
    if not ids:
        return 0
    kept = await client.ask([("GET", names.generation(each)) for each in ids])
    generations = [decode(record) for record in kept if record]
    upstream = [names.upstream(tenant, e.upstream_id) for e in generations if e.upstream_id]
    await client.ask(
        [
            *await obsolete(client, upstream, ids),
            *_taken_off(names, tenant, generations),
            *(("UNLINK", names.generation(each)) for each in ids),
        ]
    )
    await client.ask([("ZREM", own, *ids)])
    return len(generations)


def _taken_off(names: Keys, tenant: str, generations: Iterable[Generation]) -> Iterable[Command]:
    """Commands that take generations off the lists they share with other users'."""
    for one in generations:
        served = names.served(tenant, one.model or "", one.provider or "")
        for key in (names.newest(tenant), names.unusual(tenant), served):
            yield "ZREM", key, one.id
