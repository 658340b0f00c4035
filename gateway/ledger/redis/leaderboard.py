"""The users of a month in order: the top of sorted sets, never a walk over all users."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from operator import itemgetter

from gateway.ledger.queries import LeaderboardQuery
from gateway.ledger.redis import periods
from gateway.ledger.redis.client import Client, Command, with_scores
from gateway.ledger.redis.hashes import user_rows
from gateway.ledger.redis.keys import Shards
from gateway.ledger.redis.periods import Part
from gateway.ledger.results import UserRow

Ranked = tuple[float, str, str]
"""A score, a tenant, a user; tuples sort as users rank, equals by name."""

_BY_ID = itemgetter(2, 1)

_FEW = 500
"""Names on one board that are looked up at once."""


async def leaderboard(client: Client, shards: Shards, query: LeaderboardQuery) -> Sequence[UserRow]:
    """See Store. Merged from the boards of the month, one for each tenant and shard."""
    parts = await periods.months(client, shards, query.month, query.tenants)
    if query.prefix:
        ranked = await _beginning_with(client, parts, query)
    else:
        replies = await client.ask(
            [_walk(part, query, 0, query.offset + query.limit) for part in parts]
        )
        ranked = [
            place
            for part, reply in zip(parts, replies, strict=True)
            for place in _ranked(part, reply)
        ]
    ranked.sort(key=_BY_ID if query.order == "user" else None, reverse=query.ascending)
    page = ranked[query.offset :][: query.limit]
    return await user_rows(client, shards, parts, [(tenant, user) for _, tenant, user in page])


def _walk(part: Part, query: LeaderboardQuery, start: int, size: int) -> Command:
    """`size` users of a board from `start` on."""
    walk = "ZREVRANGE" if query.ascending else "ZRANGE"
    return walk, part.board(query.order), start, start + size - 1, "WITHSCORES"


def _ranked(part: Part, reply: Sequence[bytes]) -> Iterator[Ranked]:
    return ((score, part.tenant, user.decode()) for user, score in with_scores(reply))


async def _beginning_with(
    client: Client, parts: Sequence[Part], query: LeaderboardQuery
) -> list[Ranked]:
    """On the board in the order of names they are next to each other. For any other order, few are
    looked up by name; many are so common that walking that order soon meets enough."""
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
) -> list[Ranked]:
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
    client: Client, counts: Mapping[Part, int], query: LeaderboardQuery
) -> dict[Part, list[Ranked]]:
    """Of each board the first page of users with the prefix, of whom it has `counts`.

    A board is read from its top, no further than twice as many places as that. Boards where this
    did not meet enough are left out. Whoever is overtaken between two reads is met again.
    """
    met: dict[Part, dict[str, Ranked]] = {part: {} for part in counts}
    wanted = query.offset + query.limit
    start, size, going = 0, 2 * wanted, list(counts)
    while going:
        replies = await client.ask([_walk(part, query, start, size) for part in going])
        for part, reply in zip(going, replies, strict=True):
            for place in _ranked(part, reply):
                if place[2].startswith(query.prefix):
                    met[part][place[2]] = place
        start, size = start + size, 2 * size
        going = [part for part in going if len(met[part]) < wanted and start < counts[part]]
    return {
        part: [*some.values()]
        for part, some in met.items()
        if len(some) >= min(wanted, counts[part])
    }


async def _looked_up(
    client: Client, parts: Sequence[Part], query: LeaderboardQuery
) -> list[Ranked]:
    """Those with the prefix, by the board in the order of names, with their scores."""
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
        if score is not None  # erased meanwhile
    ]


def _span(prefix: str) -> tuple[bytes, bytes]:
    """The range of names with the prefix: all sort before the byte 0xff, which UTF-8 never has."""
    start = prefix.encode()
    return b"[" + start, b"(" + start + b"\xff"
