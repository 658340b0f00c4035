"""One end user: what they used and cost, by whom they were answered, how often at home, and their
latest calls."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
from markupsafe import Markup

from gateway.api.openrouter.activity_item import BY_USER, USER_COLUMNS, activity_row
from gateway.api.query import read_choice
from gateway.calendar import day_text
from gateway.dashboard.users.homes import Home, at_home, homes_of
from gateway.dashboard.users.parts import Part, by_day, by_model, by_provider, draw_requests
from gateway.dashboard.users.personal import export_user, person
from gateway.dashboard.visit import Chunks, Page, Table, Visit
from gateway.errors import NotFound
from gateway.generation import Generation
from gateway.ledger.counts import Counts, total
from gateway.ledger.queries import ActivityQuery, GenerationQuery
from gateway.ledger.results import ActivityRow

PARAMETERS = ("id", "key", "days", "format")
SPANS = ("7", "30", "90")

_LATEST = 12
_FLAGGED = 5


class User(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows. `at_home`: so many requests, of so many that a provider took."""

    user: str
    days: str
    spans: Sequence[str] = SPANS
    sum: Counts
    chart: Markup | None
    by_model: Sequence[Part]
    by_provider: Sequence[Part]
    by_day: Sequence[Part]
    homes: Sequence[Home]
    at_home: tuple[int, int]
    calls: Sequence[Generation]
    flagged: Sequence[Generation]


async def show_user(visit: Visit) -> Page | Table | Chunks:
    """The page, the user's daily rows as CSV, or all there is as JSON lines. NotFound for one who
    never called."""
    form = visit.form("csv", "jsonl")
    if form == "jsonl":
        return await export_user(visit)
    user = person(visit).user
    days = read_choice(visit.values, "days", SPANS, "30")
    since = visit.today - int(days) + 1
    store = await visit.context.ledger.fresh()
    named = frozenset((user,))
    asked = ActivityQuery(since=since, until=visit.today, tenants=visit.tenants, users=named)
    rows = await store.activity(asked)
    latest = GenerationQuery(tenants=visit.tenants, user=user, limit=_LATEST)
    calls = await store.generations(latest)
    if not rows and not calls:
        raise NotFound(f"There is nothing on record of the user {user}")
    if form == "csv":
        return Table(f"user-{day_text(visit.today)}", USER_COLUMNS, _table(rows))
    flagged = await store.generations(msgspec.structs.replace(latest, flagged=True, limit=_FLAGGED))
    chart = await draw_requests(rows, since, visit.today)

    def taken_apart() -> User:
        homes = homes_of(visit, user, rows, {call.tenant for call in calls})
        return User(
            user=user,
            days=days,
            sum=total(row.counts for row in rows),
            chart=chart,
            by_model=by_model(rows),
            by_provider=by_provider(rows),
            by_day=by_day(rows),
            homes=homes,
            at_home=at_home(rows, homes),
            calls=calls,
            flagged=flagged,
        )

    return Page("user.html", await asyncio.to_thread(taken_apart))


async def _table(rows: Sequence[ActivityRow]) -> AsyncIterator[list[dict[str, Any]]]:
    yield [activity_row(row, BY_USER) for row in rows]
