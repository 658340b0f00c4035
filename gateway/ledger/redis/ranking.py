"""Who has most of something over a range of days, by the boards of its periods.

Where the range is one period its board says so. Short boards are added up. Long ones are read from
their top, those of the months that the range touches, since they promise at least what the range
holds: see `topn`. A user who has nothing of it comes after all who have, by name.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from gateway.ledger.redis.client import Client, with_scores
from gateway.ledger.redis.periods import Part
from gateway.ledger.redis.spans import Span
from gateway.ledger.topn import Place, TenantUser, top

FEW = 20_000
"""Places that are read and added up in some hundredths of a second."""

_DEPTH = 32
"""Places of each month that are read at first, beside those asked for."""

FIRST = "-"
"""Before all names (redis.io/commands/zrangebylex)."""

_AT_ONCE = 1000
"""Members that one command names, so that it does not keep others waiting."""


class _ReadOn(Exception):
    """The places read so far do not settle it."""


async def ranked(
    client: Client, spans: Sequence[Span], order: str, count: int, few: int = FEW
) -> list[TenantUser]:
    """The first `count`, the highest first, equals by tenant, then user. Boards that have no more
    than `few` places together are added up."""
    if count == 0:
        return []
    if all(len(span.parts) == 1 for span in spans):
        places = await added_up(client, spans, order, count)
    elif await _size(client, spans, order) <= few:
        places = await added_up(client, spans, order)
    else:
        places = await looked_up(client, spans, order, count)
    people = [(tenant, user) for _, tenant, user in places[:count]]
    if order == "requests" or len(people) == count:
        return people
    return [*people, *await _others(client, spans, frozenset(people), count - len(people), few)]


async def added_up(
    client: Client, spans: Sequence[Span], order: str, depth: int = -1
) -> list[Place]:
    """Out of the first `depth` places of each period of the range, -1 for all of them."""
    boards = await _read(client, [part for span in spans for part in span.parts], order, depth)
    sums: Counter[TenantUser] = Counter()
    for places in boards:
        for value, tenant, user in places:
            sums[tenant, user] += value
    return sorted((value, tenant, user) for (tenant, user), value in sums.items())


async def looked_up(client: Client, spans: Sequence[Span], order: str, count: int) -> list[Place]:
    """The first `count`, read from the top of the months, deeper until they are settled."""
    known: dict[TenantUser, int | None] = {}
    depth = count + _DEPTH
    while True:
        months = await _months(client, spans, order, depth)
        await _learn(client, spans, order, months, known)
        walks = [[_down(places, depth) for places in boards] for boards in months]
        try:
            return top(walks, lambda tenant, user: known[tenant, user], count)
        except _ReadOn:
            depth *= 4


async def _months(
    client: Client, spans: Sequence[Span], order: str, depth: int
) -> list[list[list[Place]]]:
    """The first `depth` places of each month of each span."""
    boards = iter(
        await _read(client, [month for span in spans for month in span.months], order, depth)
    )
    return [[next(boards) for _ in span.months] for span in spans]


async def _learn(
    client: Client,
    spans: Sequence[Span],
    order: str,
    months: Sequence[Sequence[Sequence[Place]]],
    known: dict[TenantUser, int | None],
) -> None:
    """Have `known` say what all who are met in the months have in the range."""
    met = [
        {user for places in boards for _, tenant, user in places if (tenant, user) not in known}
        for boards in months
    ]
    unknown = [(span, sorted(users)) for span, users in zip(spans, met, strict=True)]
    known |= await _values(client, unknown, order)


def _down(places: Sequence[Place], depth: int) -> Iterator[Place]:
    """As `top` takes them; _ReadOn where there may be more."""
    yield from places
    if len(places) >= depth:
        raise _ReadOn


async def _read(
    client: Client, boards: Sequence[Part], order: str, depth: int
) -> list[list[Place]]:
    """The top of each board, without those who have nothing."""
    above_zero = ("-inf", "(0", "WITHSCORES", "LIMIT", 0, depth)
    replies = await client.ask(
        [("ZRANGEBYSCORE", part.board(order), *above_zero) for part in boards]
    )
    return [
        sorted((round(score), part.tenant, user.decode()) for user, score in with_scores(reply))
        for part, reply in zip(boards, replies, strict=True)
    ]


async def _size(client: Client, spans: Sequence[Span], order: str) -> int:
    """How many places the boards of the range have together."""
    boards = [part.board(order) for span in spans for part in span.parts]
    return sum(await client.ask([("ZCARD", board) for board in boards]))


async def _values(
    client: Client, wanted: Sequence[tuple[Span, Sequence[str]]], order: str
) -> dict[TenantUser, int | None]:
    """What each of the spans' users has in the range, None for nothing."""
    pieces = [
        (span, users[start : start + _AT_ONCE])
        for span, users in wanted
        for start in range(0, len(users), _AT_ONCE)
    ]
    replies = iter(
        await client.ask(
            [("ZMSCORE", part.board(order), *some) for span, some in pieces for part in span.parts]
        )
    )
    values: dict[TenantUser, int | None] = {}
    for span, some in pieces:
        scores = zip(*(next(replies) for _ in span.parts), strict=True)
        for user, kept in zip(some, scores, strict=True):
            total = -sum(round(float(score)) for score in kept if score is not None)
            values[span.tenant, user] = total or None
    return values


async def _others(
    client: Client, spans: Sequence[Span], known: frozenset[TenantUser], count: int, few: int
) -> list[TenantUser]:
    """The first `count` by name of those who have a request in the range and are not known."""
    if await _size(client, spans, "requests") <= few:
        everyone = {(tenant, user) for _, tenant, user in await added_up(client, spans, "requests")}
    else:
        everyone = {
            person
            for span in spans
            for person in await _first_named(client, span, count + len(known))
        }
    return sorted(everyone - known)[:count]


async def _first_named(client: Client, span: Span, count: int) -> list[TenantUser]:
    """At least the first `count` by name of those who have a request in the range, or all."""
    found: list[TenantUser] = []
    after = FIRST
    while after and len(found) < count:
        users, after = await next_users(client, span.months, after)
        requests = await _values(client, [(span, users)], "requests")
        found += [person for person, value in requests.items() if value]
    return found


async def next_users(client: Client, months: Sequence[Part], after: str) -> tuple[list[str], str]:
    """The next users of all months by name, and what to continue `after`; empty at the end."""
    span = ("+", "LIMIT", 0, _AT_ONCE)
    replies = await client.ask(
        [("ZRANGEBYLEX", month.board("user"), after, *span) for month in months]
    )
    ends = [reply[-1] for reply in replies if len(reply) == _AT_ONCE]
    last = min(ends) if ends else None
    users = {user for reply in replies for user in reply if last is None or user <= last}
    return sorted(user.decode() for user in users), f"({last.decode()}" if last else ""
