"""The users of a month in order: the beginning of sorted sets, never a walk over all users."""

from collections import Counter
from collections.abc import Sequence

from gateway.ledger.redis import keys, periods
from gateway.ledger.redis.client import Client
from gateway.ledger.redis.generations import pairs
from gateway.ledger.redis.keys import Shards
from gateway.ledger.redis.people import Standing, user_rows
from gateway.ledger.redis.periods import Part
from gateway.ledger.store import Bar, Spread, StandingsQuery, UserRow


async def standings(client: Client, shards: Shards, query: StandingsQuery) -> Sequence[UserRow]:
    """The page, merged out of the month's boards, one a tenant and shard."""
    parts = await periods.months(client, shards, query.month, query.tenants)
    if query.prefix:
        standing = await _beginning_with(client, parts, query)
    else:
        walk = "ZREVRANGE" if query.ascending else "ZRANGE"
        last = query.offset + query.limit - 1
        replies = await client.ask(
            [(walk, part.board(query.order), 0, last, "WITHSCORES") for part in parts]
        )
        standing = [
            (score, part.tenant, user.decode())
            for part, reply in zip(parts, replies, strict=True)
            for user, score in pairs(reply)
        ]
    standing.sort(reverse=query.ascending)
    return await user_rows(client, shards, parts, standing[query.offset :][: query.limit])


async def _beginning_with(
    client: Client, parts: Sequence[Part], query: StandingsQuery
) -> list[Standing]:
    """Names are found on the board that is in their order, scores are looked up."""
    start = query.prefix.encode()
    # No text in UTF-8 has the byte 0xff, so this comes after all that begin with the prefix.
    span = (b"[" + start, b"(" + start + b"\xff")
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
