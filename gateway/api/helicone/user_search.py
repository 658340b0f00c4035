"""The search of users that answers a question.

Whole days come from the ledger's counts. Everything finer is added up here from single requests:
the rest of a time that does not begin or end with a day, and whatever asks about requests
themselves.
"""

import asyncio
from collections.abc import Iterable

from gateway.api.context import Context
from gateway.api.helicone.question import Question
from gateway.api.requests import read_requests
from gateway.api.timespan import Cut, Timespan, cut_kept
from gateway.calendar import DAY, SECOND
from gateway.errors import RequestTimeout
from gateway.generation import Generation
from gateway.ledger.counts import Counts, GrowingCounts
from gateway.ledger.queries import GenerationQuery, UserSearch
from gateway.ledger.results import UserRow
from gateway.ledger.store import Store

PATIENCE = 30.0
"""Seconds to look through single requests, in which tests of their texts may take long."""

_AT_ONCE = 50
"""Requests that a thread looks at; it ends those that it began, should nobody wait any more."""

_NO_DAYS = (0, -1)


class _Person:
    """One user's row, added up from single requests."""

    def __init__(self) -> None:
        self._sum = GrowingCounts()
        self._days: set[int] = set()
        self._seen: list[int] = []

    def add(self, one: Generation) -> None:
        self._sum.add(Counts.of(one))
        self._days.add(one.day)
        seen = (*self._seen, one.created_at)
        self._seen = [min(seen), max(seen)]

    def row(self, tenant: str, user: str | None) -> UserRow:
        return UserRow(
            tenant=tenant,
            user=user,
            counts=self._sum.counts,
            active_days=len(self._days),
            first_seen=self._seen[0],
            last_seen=self._seen[1],
        )


class _People:
    """Users by tenant and id; as there may be very many requests, they are counted in a thread."""

    def __init__(self) -> None:
        self._people: dict[tuple[str, str | None], _Person] = {}

    def add(self, generations: Iterable[Generation], question: Question) -> None:
        """Count those that `question` is about, with up to two hundred tests of each."""
        for one in filter(question.counts, generations):
            person = self._people.get((one.tenant, one.user))
            if person is None:
                person = self._people[one.tenant, one.user] = _Person()
            person.add(one)

    def rows(self) -> list[UserRow]:
        return [person.row(*names) for names, person in self._people.items()]


async def user_search(context: Context, store: Store, question: Question) -> UserSearch:
    """The search; BadRequest when too many single requests would have to be read for it, and
    RequestTimeout when that takes too long."""
    whole = Cut(None, (question.span,))
    retention, now = context.config.ledger.retention, int(context.now() * SECOND)
    pieces = whole if question.requests else cut_kept(question.span, DAY, now, retention)
    people = _People()
    try:
        async with asyncio.timeout(PATIENCE):
            for end in pieces.ends:
                await _add_requests(people, store, question, end)
    except TimeoutError:
        text = f"This takes over {PATIENCE:g} s; ask for a shorter time, or with fewer tests"
        raise RequestTimeout(text) from None
    since, until = pieces.units or _NO_DAYS
    return UserSearch(
        since=since,
        until=until,
        tenants=question.tenants,
        users=question.users,
        extra=await asyncio.to_thread(people.rows),
        condition=question.condition,
    )


async def _add_requests(people: _People, store: Store, question: Question, span: Timespan) -> None:
    query = GenerationQuery(
        tenants=question.tenants,
        user=question.user,
        since=max(span.since, 0),
        until=max(span.until, 0),
    )
    async for page in read_requests(store, query):
        for start in range(0, len(page), _AT_ONCE):
            await asyncio.to_thread(people.add, page[start : start + _AT_ONCE], question)
