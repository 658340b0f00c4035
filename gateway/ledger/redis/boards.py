"""Users in order: the beginning of sorted sets, never a walk over all users."""

from collections import Counter
from collections.abc import Iterable, Sequence
from secrets import token_hex

from gateway.ledger.months import first_day, month_of
from gateway.ledger.redis import keys, periods
from gateway.ledger.redis.client import Client, Command
from gateway.ledger.redis.generations import pairs
from gateway.ledger.redis.keys import Keys, Shards
from gateway.ledger.redis.periods import Part
from gateway.ledger.store import Bar, Spread, StandingsQuery, UserQuery, UserRow

Standing = tuple[float, str, str]
"""A score, a tenant, a user: the order of equals is in it."""


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
    return await _rows(client, shards, parts, standing[query.offset :][: query.limit])


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


async def users(client: Client, shards: Shards, query: UserQuery) -> Sequence[UserRow]:
    """Boards of whole months, and of days for the rest of the range, added up by Redis."""
    parts = await _covering(client, shards, query)
    if query.user is not None:
        tenants = {part.tenant for part in parts}
        rows = await _rows(
            client, shards, parts, [(0, tenant, query.user) for tenant in sorted(tenants)]
        )
        return sorted(rows, key=lambda row: _place(row, query))[query.offset :][: query.limit]
    standing = await _added_up(client, parts, query)
    standing.sort()
    return await _rows(client, shards, parts, standing[query.offset :][: query.limit])


def _place(row: UserRow, query: UserQuery) -> tuple[int, str]:
    counts = row.counts
    tokens = counts.prompt_tokens + counts.completion_tokens
    value = tokens if query.order == "tokens" else getattr(counts, query.order)
    return -value, row.tenant


async def _covering(client: Client, shards: Shards, query: UserQuery) -> list[Part]:
    """As few periods as make up the range: a month for its days where none of them is cut."""
    cut = await client.ask([("HGET", names.retention, "activity_from") for names in shards.all])
    since = max([query.since, *(int(first or 0) for first in cut)])
    found = await periods.parts(client, shards, query.since, query.until)
    whole = {
        part.period for part in found if part.period[0] == "m" and first_day(part.number) >= since
    }
    return [
        part
        for part in found
        if (query.tenants is None or part.tenant in query.tenants)
        and (part.period in whole or (part.period[0] == "d" and _month(part) not in whole))
    ]


def _month(day: Part) -> str:
    return keys.month(month_of(day.number))


async def _added_up(client: Client, parts: Sequence[Part], query: UserQuery) -> list[Standing]:
    """The first of every tenant on every shard, as many as could be on the page."""
    groups = list(_by_home(parts).items())
    last = query.offset + query.limit - 1
    commands = [each for _, some in groups for each in _top(some, query.order, last)]
    replies = await client.ask(commands)
    tops = [
        reply for command, reply in zip(commands, replies, strict=True) if command[0] == "ZRANGE"
    ]
    return [
        (score, tenant, user.decode())
        for ((tenant, _), _), top in zip(groups, tops, strict=True)
        for user, score in pairs(top)
    ]


def _top(parts: Sequence[Part], order: str, last: int) -> list[Command]:
    """Commands, one of them a ZRANGE that reads the top of the sum of boards.

    On a day, who has no errors is not on the board of errors; that of requests adds all, with 0.
    """
    boards = [part.board(order) for part in parts]
    if len(parts) == 1 and parts[0].period[0] == "m":
        return [("ZRANGE", boards[0], 0, last, "WITHSCORES")]
    everyone = [part.board("requests") for part in parts]
    weights = [1] * len(boards) + [0] * len(everyone)
    scratch = parts[0].names.scratch(token_hex(8))
    return [
        ("ZUNIONSTORE", scratch, len(weights), *boards, *everyone, "WEIGHTS", *weights),
        ("EXPIRE", scratch, 60),
        ("ZRANGE", scratch, 0, last, "WITHSCORES"),
        ("UNLINK", scratch),
    ]


async def _rows(
    client: Client, shards: Shards, parts: Sequence[Part], standing: Sequence[Standing]
) -> list[UserRow]:
    """What is kept of users in the periods, in the order given."""
    homes = _by_home(parts)
    wanted = [
        (tenant, user, homes.get((tenant, shards.of(tenant, user)), []))
        for _, tenant, user in standing
    ]
    replies = iter(
        await client.ask(
            [("HGETALL", part.user(user)) for _, user, some in wanted for part in some]
        )
    )
    rows = [
        periods.user_row(tenant, user, [(part.period, next(replies)) for part in some])
        for tenant, user, some in wanted
    ]
    return [row for row in rows if row]


def _by_home(parts: Iterable[Part]) -> dict[tuple[str, Keys], list[Part]]:
    """The periods of each tenant on each shard."""
    homes: dict[tuple[str, Keys], list[Part]] = {}
    for part in parts:
        homes.setdefault((part.tenant, part.names), []).append(part)
    return homes


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
