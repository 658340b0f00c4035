"""The users a question means, each with what its requests come to.

Whole days come from the ledger's counts, everything finer from single requests: the ends of a time
that begins or ends within a day, and whatever asks about requests themselves.
"""

import asyncio
from collections.abc import Iterable, Sequence

from gateway.api.context import Context
from gateway.api.helicone.question import Question
from gateway.api.requests import read_requests
from gateway.api.tally import Tally
from gateway.api.timespan import DAY, Cut, Timespan, cut
from gateway.errors import BadRequest
from gateway.generation import Generation
from gateway.ledger.store import Counts, GenerationQuery, Store, UserQuery, UserRow

MOST_USERS = 100_000
"""Whom one question reads: up to three seconds of work."""


class _Person:
    """One user, put together from days and single requests."""

    def __init__(self) -> None:
        self._tally = Tally()
        self._whole_days = 0
        self._days: set[int] = set()
        self._seen: list[int] = []

    def add_days(self, row: UserRow) -> None:
        self._tally.add(row.counts)
        self._whole_days += row.active_days
        self._see(row.first_seen, row.last_seen)

    def add_request(self, generation: Generation) -> None:
        self._tally.add(Counts.of(generation))
        self._days.add(generation.day)
        self._see(generation.created_at)

    def _see(self, *moments: int) -> None:
        seen = (*self._seen, *moments)
        self._seen = [min(seen), max(seen)]

    def row(self, tenant: str, user: str | None) -> UserRow:
        return UserRow(
            tenant=tenant,
            user=user,
            counts=self._tally.counts,
            active_days=self._whole_days + len(self._days),
            first_seen=self._seen[0],
            last_seen=self._seen[1],
        )


class _People:
    """Users by tenant and id."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._people: dict[tuple[str, str | None], _Person] = {}

    def _person(self, tenant: str, user: str | None) -> _Person:
        person = self._people.get((tenant, user))
        if person is None:
            person = self._people[tenant, user] = _Person()
        return person

    def add_days(self, rows: Iterable[UserRow]) -> None:
        for row in rows:
            self._person(row.tenant, row.user).add_days(row)

    def add_requests(self, generations: Iterable[Generation]) -> None:
        for one in generations:
            if self._question.counts(one):
                self._person(one.tenant, one.user).add_request(one)

    def meant(self) -> list[UserRow]:
        rows = (person.row(*names) for names, person in self._people.items())
        return [row for row in rows if self._question.means(row)]


async def read_people(
    context: Context, store: Store, question: Question, most: int = MOST_USERS
) -> list[UserRow]:
    """Each user that is meant, in no order; BadRequest when more than `most` are to be read."""
    people = _People(question)
    if question.requests:
        await _add_requests(people, store, question, question.span)
        return people.meant()
    pieces = _cut(context, question.span)
    rows = await _whole_days(store, question, pieces.units, most) if pieces.units else ()
    if not pieces.ends:
        return [row for row in rows if question.means(row)]
    await asyncio.to_thread(people.add_days, rows)
    for end in pieces.ends:
        await _add_requests(people, store, question, end)
    return await asyncio.to_thread(people.meant)


def _cut(context: Context, span: Timespan) -> Cut:
    retention, now = context.config.ledger.retention, context.now()
    first_day = int(now - retention.activity) * 1_000_000 // DAY * DAY
    kept_from = int(now - retention.generations) * 1_000_000
    known = Timespan(max(span.since, first_day), span.until)
    return cut(known, DAY, int(now * 1_000_000), kept_from)


async def _add_requests(people: _People, store: Store, question: Question, span: Timespan) -> None:
    query = GenerationQuery(
        tenants=question.tenants,
        user=question.user,
        since=max(span.since, 0),
        until=max(span.until, 0),
    )
    async for page in read_requests(store, query):
        people.add_requests(page)


async def _whole_days(
    store: Store, question: Question, days: tuple[int, int], most: int
) -> Sequence[UserRow]:
    since, until = days
    query = UserQuery(
        since=since,
        until=until,
        tenants=question.tenants,
        user=question.user,
        limit=most + 1,
    )
    if question.user is None:
        active = await store.active_users(since, until, question.tenants)
        if max(active.values(), default=0) > most:
            raise _too_many(most)
    rows = await store.users(query)
    if len(rows) > most:
        raise _too_many(most)
    return rows


def _too_many(most: int) -> BadRequest:
    return BadRequest(
        f"More than {most} users had requests in this time; ask for a shorter one, or for one user"
    )
