"""Forgetting one end user, a few keys at a time; what leads to the rest goes last."""

from collections.abc import Iterable, Sequence

from gateway.generation import Generation
from gateway.ledger.packing import readable
from gateway.ledger.redis import keys, periods
from gateway.ledger.redis.batch import Batch, Call, Gone, called
from gateway.ledger.redis.client import Client, Command
from gateway.ledger.redis.expiry import obsolete
from gateway.ledger.redis.keys import Keys, Shards
from gateway.ledger.redis.lifetimes import Lifetimes
from gateway.ledger.redis.lists import kinds_of
from gateway.ledger.redis.numbering import Numbers
from gateway.ledger.redis.periods import Part

_AT_ONCE = 500
_EVER = 10**9


async def erase(client: Client, shards: Shards, ends: Lifetimes, tenant: str, user: str) -> int:
    """See Store. All of a user is on one shard.

    Counters of a period become those of erased users, so they are taken only while the user has no
    generation: what came in the meantime goes first.
    """
    names = shards.of(tenant, user)
    erased, is_done = 0, False
    while not is_done:
        erased += await _erase_generations(client, names, tenant, user)
        is_done = await _take_out(client, shards, ends, names, tenant, user)
    return erased


async def _take_out(
    client: Client, shards: Shards, ends: Lifetimes, names: Keys, tenant: str, user: str
) -> bool:
    """Take the user out of days and months; whether no generation was in the way."""
    for part in await periods.parts(client, shards, 0, _EVER):
        if part.names is names and part.tenant == tenant and part.period[0] in "dm":
            [left] = await client.run([_taking(part, user, ends)])
            if isinstance(left, int):
                return False
    return True


def _taking(part: Part, user: str, ends: Lifetimes) -> Call:
    """A call that counts nothing: it takes a user out of a day or a month."""
    numbers, end = Numbers(part.names, ends), ends.of_period(part.period)
    is_day = part.period[0] == "d"
    orders = keys.DAY_ORDERS if is_day else keys.MONTH_ORDERS
    gone = Gone(
        user=user,
        newest=numbers.expiring(part.names.newest_of_user(part.tenant, user), ends.of_generations),
        kept=numbers.expiring(part.user(user), end),
        boards=numbers.boards(part.period, part.tenant, orders),
        erased=numbers.expiring(part.erased, end) if is_day else None,
        spread=None if is_day else numbers.expiring(part.spread, end),
    )
    return called(numbers, Batch(gone=[gone]))


async def _erase_generations(client: Client, names: Keys, tenant: str, user: str) -> int:
    """Forget all of them that are on the user's list; how many it were."""
    own = names.newest_of_user(tenant, user)
    erased = 0
    while ids := await _first(client, own):
        erased += await _erase_these(client, names, tenant, ids)
        await client.ask([("ZREM", own, *ids)])
    return erased


async def _first(client: Client, own: str) -> list[str]:
    [ids] = await client.ask([("ZRANGE", own, 0, _AT_ONCE - 1)])
    return [each.decode() for each in ids]


async def _erase_these(client: Client, names: Keys, tenant: str, ids: Sequence[str]) -> int:
    kept = await client.ask([("GET", names.generation(each)) for each in ids])
    generations = list(readable(kept))
    upstream = [names.upstream(tenant, e.upstream_id) for e in generations if e.upstream_id]
    await client.ask(
        [
            *await obsolete(client, upstream, ids),
            *_taken_off(names, tenant, generations),
            *(("UNLINK", names.generation(each)) for each in ids),
        ]
    )
    return len(generations)


def _taken_off(names: Keys, tenant: str, generations: Iterable[Generation]) -> Iterable[Command]:
    """Commands that take generations off the lists they share with other users'."""
    for one in generations:
        served = names.served(tenant, one.model or "", one.provider or "")
        kinds = kinds_of(one.status, one.outcome, bool(one.flags))
        unusual = (names.unusual(tenant, kind) for kind in kinds)
        for key in (names.newest(tenant), served, *unusual):
            yield "ZREM", key, one.id
