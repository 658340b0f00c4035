"""Reads of single generations."""

import heapq
from collections.abc import Callable, Sequence
from itertools import islice, product
from operator import itemgetter
from typing import Any

from gateway.generation import Generation
from gateway.ledger.packing import readable
from gateway.ledger.queries import GenerationQuery
from gateway.ledger.redis.client import Client, Command, with_scores
from gateway.ledger.redis.keys import Shard, Shards, split
from gateway.ledger.redis.unusual import kind_of

Place = tuple[int, str]
"""A generation's moment and id: the order of all lists."""

Found = tuple[Place, Shard]

_LEAST, _MOST = 200, 3200


async def generation(
    client: Client, shards: Shards, generation_id: str, tenants: frozenset[str] | None
) -> Generation | None:
    """Every shard is asked, as the id does not tell the user."""
    kept = await client.ask([("GET", shard.generation(generation_id)) for shard in shards.all])
    for found in readable(kept):
        if tenants is None or found.tenant in tenants:
            return found
    return await _by_upstream_id(client, shards, generation_id, tenants)


async def _by_upstream_id(
    client: Client, shards: Shards, upstream_id: str, tenants: frozenset[str] | None
) -> Generation | None:
    every = list(product(shards.all, await all_tenants(client, shards, tenants)))
    references = await client.ask(
        [("GET", shard.upstream(tenant, upstream_id)) for shard, tenant in every]
    )
    known = [each for each in zip(references, every, strict=True) if each[0]]
    if not known:
        return None
    reference, (shard, _) = max(known, key=itemgetter(0))
    [record] = await client.ask([("GET", shard.generation(reference.decode().split(" ", 1)[1]))])
    return next(readable([record]), None)


async def all_tenants(
    client: Client, shards: Shards, tenants: frozenset[str] | None
) -> frozenset[str]:
    """Those asked for, or all with a generation that is kept."""
    if tenants is not None:
        return tenants
    known = await client.ask([("ZRANGE", shard.tenants, 0, -1) for shard in shards.all])
    return frozenset(tenant.decode() for some in known for tenant in some)


async def generations(
    client: Client, shards: Shards, query: GenerationQuery
) -> Sequence[Generation]:
    """The newest of all lists that may hold some, page by page until enough match the filters."""
    lists = await _lists(client, shards, query)
    matches = _filter(query)
    found: list[Generation] = []
    before = query.before
    size = max(query.limit, _LEAST) if matches else query.limit
    while len(found) < query.limit:
        places = await newest(client, lists, query, before, size)
        some = await records(client, places)
        found += filter(matches, some) if matches else some
        if len(places) < size:
            break
        before = places[-1][0]
        size = min(2 * size, _MOST)
    return found[: query.limit]


async def records(client: Client, places: Sequence[Found]) -> list[Generation]:
    """In the order of `places`; those that were forgotten meanwhile are left out."""
    by_shard: dict[Shard, list[Place]] = {}
    for place, shard in places:
        by_shard.setdefault(shard, []).append(place)
    replies = await client.ask(
        [("MGET", *(shard.generation(one) for _, one in own)) for shard, own in by_shard.items()]
    )
    kept = {
        place: record
        for places, some in zip(by_shard.values(), replies, strict=True)
        for place, record in zip(places, some, strict=True)
    }
    return list(readable(kept[place] for place, _ in places))


def _filter(query: GenerationQuery) -> Callable[[Generation], bool] | None:
    """What the lists do not sort out themselves; None when that is nothing."""
    wanted: dict[str, object] = {"model": query.model, "provider": query.provider}
    if kind_of(query) is not None:
        wanted["user"] = query.user
    if query.status is not None and query.status.isdecimal():
        wanted["status"] = int(query.status)
    else:
        wanted["outcome"] = query.status
    wanted = {name: value for name, value in wanted.items() if value is not None}

    def matches(one: Generation) -> bool:
        flagged = query.flagged in (None, bool(one.flags))
        # Nobody is None in the record, and the empty user of the query.
        return flagged and all((getattr(one, name) or "") == want for name, want in wanted.items())

    return matches if wanted or query.flagged is not None else None


async def _lists(client: Client, shards: Shards, query: GenerationQuery) -> list[tuple[Shard, str]]:
    tenants, kind = await all_tenants(client, shards, query.tenants), kind_of(query)
    if query.user is not None:
        theirs = [(shards.of(tenant, query.user), tenant) for tenant in tenants]
        own = [(shard, shard.newest_of_user(tenant, query.user)) for shard, tenant in theirs]
        if kind is None:
            return own
        unusual = [(shard, shard.unusual(tenant, kind)) for shard, tenant in theirs]
        return await _shorter(client, own, unusual)
    every = list(product(shards.all, tenants))
    if kind is not None:
        return [(shard, shard.unusual(tenant, kind)) for shard, tenant in every]
    if query.model is not None or query.provider is not None:
        return await _served(client, every, query)
    return [(shard, shard.newest(tenant)) for shard, tenant in every]


async def _served(
    client: Client, every: Sequence[tuple[Shard, str]], query: GenerationQuery
) -> list[tuple[Shard, str]]:
    """The lists of the models and providers that are asked for."""
    known = await client.ask([("ZRANGE", shard.pairs(tenant), 0, -1) for shard, tenant in every])
    return [
        (shard, shard.served(tenant, model, provider))
        for (shard, tenant), some in zip(every, known, strict=True)
        for model, provider in map(split, some)
        if query.model in (None, model) and query.provider in (None, provider)
    ]


async def _shorter(
    client: Client, some: Sequence[tuple[Shard, str]], others: Sequence[tuple[Shard, str]]
) -> list[tuple[Shard, str]]:
    """Of each pair the list with fewer on it: a user may have called very often, or hardly ever."""
    sizes = await client.ask([("ZCARD", key) for _, key in (*some, *others)])
    pairs = zip(some, others, sizes[: len(some)], sizes[len(some) :], strict=True)
    return [one if size <= other_size else other for one, other, size, other_size in pairs]


async def newest(
    client: Client,
    lists: Sequence[tuple[Shard, str]],
    query: GenerationQuery,
    before: Place | None,
    size: int,
) -> list[Found]:
    """The `size` newest of all lists together, before a place and in the query's time."""
    pages = [
        [(place, shard) for place in page]
        for (shard, _), page in zip(
            lists, await _pages(client, [key for _, key in lists], query, before, size), strict=True
        )
    ]
    merged = heapq.merge(*pages, key=itemgetter(0), reverse=True)
    return list(islice(merged, size))


async def _pages(
    client: Client,
    keys: Sequence[str],
    query: GenerationQuery,
    before: Place | None,
    size: int,
) -> list[list[Place]]:
    """The first `size` of each list.

    A list is entered by moment; of those with the cursor's own, itself and the ones on earlier
    pages are dropped, and more is read as long as that leaves too few.
    """
    lowest = "-inf" if query.since is None else str(query.since)
    highest = "+inf" if query.until is None else f"({query.until}"
    if before is not None and (query.until is None or before[0] < query.until):
        highest = str(before[0])
    read, short = size + (before is not None), True
    pages: list[list[Place]] = []
    while short:
        whole = [_places(reply) for reply in await client.ask(_walks(keys, highest, lowest, read))]
        pages = [[place for place in some if before is None or place < before] for some in whole]
        short = any(
            len(some) == read and len(page) < size for some, page in zip(whole, pages, strict=True)
        )
        read *= 4
    return [page[:size] for page in pages]


def _walks(keys: Sequence[str], highest: str, lowest: str, size: int) -> list[Command]:
    span = (highest, lowest, "WITHSCORES", "LIMIT", 0, size)
    return [("ZREVRANGEBYSCORE", key, *span) for key in keys]


def _places(reply: Sequence[Any]) -> list[Place]:
    return [(int(moment), one.decode()) for one, moment in with_scores(reply)]
