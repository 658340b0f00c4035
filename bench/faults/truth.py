"""What clients were answered, against what the store has."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from gateway.generation import Generation
from gateway.ledger.paging import pages_of
from gateway.ledger.queries import GenerationQuery, UserQuery
from gateway.ledger.store import Store

_FAR = 10**6
"""A day, since the epoch, that no bench lives to see."""


class Answered(msgspec.Struct, frozen=True):
    """A call whose answer was received whole, with what it said; `latency` in seconds."""

    id: str
    user: str
    prompt_tokens: int
    completion_tokens: int
    latency: float


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """How truth and store differ.

    `missing`: answered calls that the store does not have, or has otherwise, and calls it has and
    did not count. `double`: requests by which users' counters exceed their single calls.
    """

    answered: int
    missing: int
    double: int


class Sums(NamedTuple):
    """What a user's counters say, or would say if they were right."""

    requests: int = 0
    tokens: int = 0

    def more_than(self, right: "Sums") -> int:
        """Requests too many, or too few; one where only the tokens differ."""
        tokens = (self.tokens > right.tokens) - (self.tokens < right.tokens)
        return self.requests - right.requests or tokens


async def compare(answered: Sequence[Answered], store: Store) -> Balance:
    """Read all that the store has. Raises StoreUnavailable."""
    kept = {each.id: each for each in await _generations(store)}
    single: dict[str | None, Sums] = defaultdict(Sums)
    for each in kept.values():
        sums = single[each.user]
        single[each.user] = Sums(sums.requests + 1, sums.tokens + each.usage.tokens)
    counted = await _sums_by_user(store)
    surplus = [
        counted.get(user, Sums()).more_than(single.get(user, Sums()))
        for user in {*counted, *single}
    ]
    lacking = sum(not _is_kept(one, kept.get(one.id)) for one in answered)
    return Balance(
        answered=len(answered),
        missing=lacking + sum(-more for more in surplus if more < 0),
        double=sum(more for more in surplus if more > 0),
    )


def _is_kept(one: Answered, kept: Generation | None) -> bool:
    return (
        kept is not None
        and kept.user == one.user
        and kept.usage.prompt_tokens == one.prompt_tokens
        and kept.usage.completion_tokens == one.completion_tokens
    )


async def _generations(store: Store) -> list[Generation]:
    pages = pages_of(store, GenerationQuery())
    return [each async for page in pages for each in page]


async def _sums_by_user(store: Store) -> dict[str | None, Sums]:
    rows = await store.users(UserQuery(since=0, until=_FAR, limit=10**6))
    return {row.user: Sums(row.counts.requests, row.counts.tokens) for row in rows}
