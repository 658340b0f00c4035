"""The users of a month in order: the beginning of sorted sets, never a walk over all users."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from gateway.ledger.queries import StandingsQuery
from gateway.ledger.redis import keys, periods
from gateway.ledger.redis.client import Client, Command
from gateway.ledger.redis.generations import pairs
from gateway.ledger.redis.keys import Shards
from gateway.ledger.redis.people import user_rows
from gateway.ledger.redis.periods import Part
from gateway.ledger.results import UserRow
from gateway.ledger.spread import Bar, Spread

Standing = tuple[float, str, str]
"""A score, a tenant, a user: the order of equals is in it."""

_FEW = 500
"""Names on one board that are looked up at once."""


async def standings(client: Client, shards: Shards, query: StandingsQuery) -> Sequence[UserRow]:
    """The page, merged out of the month's boards, one a tenant and shard."""
    parts = await periods.months(client, shards, query.month, query.tenants)
    if query.prefix:
        standing = await _beginning_with(client, parts, query)
    else:
        replies = await client.ask(
            [_walk(part, query, 0, query.offset + query.limit) for part in parts]
        )
        standing = [
            place
            for part, reply in zip(parts, replies, strict=True)
            for place in _standing(part, reply)
        ]
    standing.sort(reverse=query.ascending)
    page = standing[query.offset :][: query.limit]
    return await user_rows(client, shards, parts, [(tenant, user) for _, tenant, user in page])


def _walk(part: Part, query: StandingsQuery, start: int, size: int) -> Command:
    """`size` places of a board from `start` on."""
    walk = "ZREVRANGE" if query.ascending else "ZRANGE"
    return walk, part.board(query.order), start, start + size - 1, "WITHSCORES"


def _standing(part: Part, reply: Sequence[bytes]) -> Iterator[Standing]:
    return ((score, part.tenant, user.decode()) for user, score in pairs(reply))


async def _beginning_with(
    client: Client, parts: Sequence[Part], query: StandingsQuery
) -> list[Standing]:
    """In the order of names they stand together; of another order, few are looked up by name, and
    of many some soon come."""
    first, last = _span(query.prefix)
    if query.order == "user":
        walk = ("ZREVRANGEBYLEX", last, first) if query.ascending else ("ZRANGEBYLEX", first, last)
        return await _by_name(client, parts, walk, query.offset + query.limit)
    counts = await client.ask([("ZLEXCOUNT", part.board("user"), first, last) for part in parts])
    many = {part: count for part, count in zip(parts, counts, strict=True) if count > _FEW}
    met = await _met(client, many, query)
    others = [part for part in parts if part not in met]
    return [*chain.from_iterable(met.values()), *await _looked_up(client, others, query)]


async def _by_name(
    client: Client, parts: Sequence[Part], walk: tuple[str, bytes, bytes], size: int
) -> list[Standing]:
    name, *span = walk
    named = await client.ask(
        [(name, part.board("user"), *span, "LIMIT", 0, size) for part in parts]
    )
    return [
        (0.0, part.tenant, user.decode())
        for part, users in zip(parts, named, strict=True)
        for user in users
    ]


async def _met(
    client: Client, counts: Mapping[Part, int], query: StandingsQuery
) -> dict[Part, list[Standing]]:
    """The first page of each board's `counts` names that begin so: it is read from its top, but not
    further than there are such names. Boards where that did not do are left out."""
    met: dict[Part, list[Standing]] = {part: [] for part in counts}
    wanted = query.offset + query.limit
    start, size, going = 0, 2 * wanted, list(counts)
    while going:
        replies = await client.ask([_walk(part, query, start, size) for part in going])
        for part, reply in zip(going, replies, strict=True):
            met[part] += (one for one in _standing(part, reply) if one[2].startswith(query.prefix))
        start, size = start + size, 2 * size
        going = [part for part in going if len(met[part]) < wanted and start < counts[part]]
    return {part: some for part, some in met.items() if len(some) >= min(wanted, counts[part])}


async def _looked_up(
    client: Client, parts: Sequence[Part], query: StandingsQuery
) -> list[Standing]:
    """Names are found on the board that is in their order, scores are looked up."""
    span = _span(query.prefix)
    named = await client.ask([("ZRANGEBYLEX", part.board("user"), *span) for part in parts])
    known = [(part, users) for part, users in zip(parts, named, strict=True) if users]
    scores = await client.ask(
        [("ZMSCORE", part.board(query.order), *users) for part, users in known]
    )
    return [
        (float(score), part.tenant, user.decode())
        for (part, users), some in zip(known, scores, strict=True)
        for user, score in zip(users, some, strict=True)
    ]


def _span(prefix: str) -> tuple[bytes, bytes]:
    """Of names that begin so: no text in UTF-8 has the byte 0xff, so that comes after them all."""
    start = prefix.encode()
    return b"[" + start, b"(" + start + b"\xff"


async def spread(
    client: Client, shards: Shards, month: int, tenants: frozenset[str] | None
) -> Spread:
    """Out of the counts of users that are kept beside the boards."""
    parts = await periods.months(client, shards, month, tenants)
    hashes = await client.ask([("HGETALL", part.spread) for part in parts])
    bars: dict[str, Counter[int]] = {"requests": Counter(), "cost": Counter()}
    for fields in hashes:
        for field, standing in fields.items():
            measure, bar = keys.split(field)
            bars[measure][int(bar)] += int(standing)
    return Spread(requests=_bars(bars["requests"]), cost=_bars(bars["cost"]))


def _bars(users: Counter[int]) -> tuple[Bar, ...]:
    return tuple(Bar.of(number, users[number]) for number in sorted(+users))
