"""The users of any range of days, the highest first, by the threshold algorithm of `topn`.

The boards are read from their top, deeper as long as someone who was not met could still be among
the first; whoever is met is looked up. Ranges of more than a week read the boards of the months
they touch, which promise more than the range holds; that is all the algorithm needs.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from gateway.ledger.months import first_day, month_of
from gateway.ledger.redis import keys, periods
from gateway.ledger.redis.client import Client
from gateway.ledger.redis.generations import pairs
from gateway.ledger.redis.keys import Shards
from gateway.ledger.redis.people import user_rows
from gateway.ledger.redis.periods import Part
from gateway.ledger.store import UserQuery, UserRow
from gateway.ledger.topn import Place, top

_WEEK = 7
_DEPTH = 32
"""Places of each board that are read at first, beside those asked for."""

Person = tuple[str, str]
"""Tenant and user; the user is empty for calls without one."""


class _ReadOn(Exception):
    """The places read so far do not settle it."""


async def users(client: Client, shards: Shards, query: UserQuery) -> Sequence[UserRow]:
    """See Store."""
    found = await periods.parts(client, shards, query.since, _last_day(query))
    found = [part for part in found if query.tenants is None or part.tenant in query.tenants]
    covering = await _covering(client, shards, found, query)
    if query.user is not None:
        people = [(tenant, query.user) for tenant in sorted({part.tenant for part in covering})]
        rows = await _rows(client, shards, covering, people)
        ranked = sorted(rows.items(), key=lambda item: (-_value(item[1], query), *item[0]))
        return [row for _, row in ranked[query.offset :][: query.limit]]
    boards = _boards(found, query)
    return await _highest(client, shards, boards, covering, query)


def _last_day(query: UserQuery) -> int:
    """The last day of the last month that the range touches."""
    return first_day(month_of(max(0, query.until)) + 1) - 1


async def _covering(
    client: Client, shards: Shards, found: Sequence[Part], query: UserQuery
) -> list[Part]:
    """As few periods as make up the range: a month for its days where none of them is cut."""
    cut = await client.ask([("HGET", names.retention, "activity_from") for names in shards.all])
    since = max([query.since, *(int(first or 0) for first in cut)])
    whole = {
        part.period
        for part in found
        if part.period[0] == "m"
        and first_day(part.number) >= since
        and keys.last_day(part.period) <= query.until
    }
    return [
        part
        for part in found
        if part.period in whole or (_is_day_of(part, query) and _month(part) not in whole)
    ]


def _is_day_of(part: Part, query: UserQuery) -> bool:
    return part.period[0] == "d" and query.since <= part.number <= query.until


def _month(day: Part) -> str:
    return keys.month(month_of(day.number))


def _boards(found: Sequence[Part], query: UserQuery) -> list[Part]:
    """Whose boards together promise at least what anyone has in the range."""
    if query.until - query.since < _WEEK:
        return [part for part in found if _is_day_of(part, query)]
    touched = range(month_of(max(0, query.since)), month_of(max(0, query.until)) + 1)
    return [part for part in found if part.period[0] == "m" and part.number in touched]


async def _highest(
    client: Client,
    shards: Shards,
    boards: Sequence[Part],
    covering: Sequence[Part],
    query: UserQuery,
) -> list[UserRow]:
    """Read deeper until it is settled; nobody is looked up twice."""
    wanted, depth = query.offset + query.limit, query.offset + query.limit + _DEPTH
    known: dict[Person, UserRow | None] = {}
    while True:
        places = await _places(client, boards, query, depth)
        met = {(tenant, user) for some in places.all() for _, tenant, user in some}
        unknown = sorted(met - known.keys())
        known |= dict.fromkeys(unknown)
        known |= await _rows(client, shards, covering, unknown)
        try:
            best = top([*places.walks()], _measure(known, query), wanted)
        except _ReadOn:
            depth *= 4
            continue
        first = [known[tenant, user] for _, tenant, user in best[query.offset :]]
        return [row for row in first if row]


class _Places(msgspec.Struct, frozen=True):
    """The first `depth` places of each board, and of those who may have nothing on any of them."""

    depth: int
    ranked: Sequence[Sequence[Place]]
    unranked: Sequence[Sequence[Place]]

    def all(self) -> Iterator[Sequence[Place]]:
        yield from self.ranked
        yield from self.unranked

    def walks(self) -> Iterator[Iterator[Place]]:
        """As `top` takes them; they raise _ReadOn where there may be more."""
        yield from (self._down(places) for places in self.ranked)
        yield from (self._among(places) for places in self.unranked)

    def _down(self, places: Sequence[Place]) -> Iterator[Place]:
        yield from places
        if len(places) >= self.depth:
            raise _ReadOn

    def _among(self, places: Sequence[Place]) -> Iterator[Place]:
        """They come by name, but were read in another order: all of them are needed, or none."""
        if len(places) >= self.depth:
            yield 0, "", ""
            raise _ReadOn
        yield from places


async def _places(client: Client, boards: Sequence[Part], query: UserQuery, depth: int) -> _Places:
    """The top of each board. A day's has only those who have some of what it ranks by, so the rest
    is taken from that of requests; a month's has everyone."""
    ranked = await _read(client, boards, query.order, depth)
    days = [part for part in boards if part.period[0] == "d" and query.order != "requests"]
    everyone = await _read(client, days, "requests", depth)
    unranked = [sorted((0, tenant, user) for _, tenant, user in some) for some in everyone]
    return _Places(depth, ranked, unranked)


async def _read(
    client: Client, boards: Sequence[Part], order: str, depth: int
) -> list[list[Place]]:
    replies = await client.ask(
        [("ZRANGE", part.board(order), 0, depth - 1, "WITHSCORES") for part in boards]
    )
    return [
        sorted((round(score), part.tenant, user.decode()) for user, score in pairs(reply))
        for part, reply in zip(boards, replies, strict=True)
    ]


def _measure(
    known: Mapping[Person, UserRow | None], query: UserQuery
) -> Callable[[str, str], int | None]:
    def measure(tenant: str, user: str) -> int | None:
        row = known.get((tenant, user))
        return None if row is None else _value(row, query)

    return measure


def _value(row: UserRow, query: UserQuery) -> int:
    counts = row.counts
    if query.order == "tokens":
        return counts.prompt_tokens + counts.completion_tokens
    value: int = getattr(counts, query.order)
    return value


async def _rows(
    client: Client, shards: Shards, covering: Sequence[Part], people: Sequence[Person]
) -> dict[Person, UserRow]:
    """What each has in the range; who has nothing is left out."""
    standing = [(0.0, tenant, user) for tenant, user in people]
    rows = await user_rows(client, shards, covering, standing)
    return {(row.tenant, row.user or ""): row for row in rows}
