"""The counts that an activity page is made of, one fact a day and group, read as cheaply as may be.

There may be a million users: grouped by user, only those who lead the months of the span have facts
of their own, and all others together are what is left of the whole.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence

import msgspec

from gateway.calendar import month_of
from gateway.dashboard.activity.span import Span, metric_of
from gateway.ledger.counts import Counts, difference, total
from gateway.ledger.queries import ActivityQuery, Dimension, LeaderboardQuery
from gateway.ledger.results import ActivityRow, HourRow
from gateway.ledger.store import Store

OTHERS = "Everyone else"
LEADERS = 20
"""Users with facts of their own."""

_READ = 2 * LEADERS
"""Of each month: some rows are of the same user of another key, one has no user."""

NAMELESS = {
    "model": "No model",
    "provider": "No provider",
    "route": "Not routed",
    "key": "Other keys",
    "user": "No User ID",
}
"""What a group is called that has no name."""


class Fact(msgspec.Struct, frozen=True):
    """What a group has of a day, or of one of its hours (since the epoch).

    `is_named`: the group can be asked for by its name.
    """

    day: int
    group: str
    counts: Counts
    is_named: bool = True
    hour: int | None = None


async def read_facts(store: Store, span: Span, keys: Collection[str]) -> list[Fact]:
    """The facts of the span and of the period before it; `keys` are those to tell apart."""
    if span.group == "key":
        return await _by_key(store, span, keys)
    if span.group == "user" and span.user is None:
        return await _by_user(store, span)
    rows = await _rows(store, span, span.users)
    return [_fact(row, span.group) for row in rows]


async def read_hours(store: Store, span: Span) -> list[Fact]:
    """The facts of the span's hours."""
    rows = await store.hours(span.since * 24, span.until * 24 + 23, span.tenants)
    return [_hourly(row, span.group) for row in rows if span.keeps(row)]


def _hourly(row: HourRow, group: str) -> Fact:
    name = {"model": row.model, "provider": row.provider, "key": row.tenant}[group]
    return Fact(row.hour // 24, name or NAMELESS[group], row.counts, bool(name), row.hour)


def _fact(row: ActivityRow, group: str) -> Fact:
    name: str | None = getattr(row, group)
    return Fact(row.day, name or NAMELESS[group], row.counts, is_named=bool(name))


async def _rows(store: Store, span: Span, users: frozenset[str] | None) -> list[ActivityRow]:
    by: frozenset[Dimension] = frozenset({"route"} if span.group == "route" else ())
    rows = await store.activity(
        ActivityQuery(since=span.before, until=span.until, tenants=span.tenants, users=users, by=by)
    )
    return [row for row in rows if span.keeps(row)]


async def _by_key(store: Store, span: Span, keys: Collection[str]) -> list[Fact]:
    """One query for each key: totals are kept by key, and there are few keys."""
    visible = [key for key in keys if span.tenants is None or key in span.tenants]
    spans = [msgspec.structs.replace(span, tenants=frozenset((key,))) for key in visible]
    each = await asyncio.gather(*(_rows(store, one, one.users) for one in spans))
    facts = [
        Fact(row.day, key, row.counts)
        for key, rows in zip(visible, each, strict=True)
        for row in rows
    ]
    whole = [Fact(row.day, "", row.counts) for row in await _rows(store, span, span.users)]
    return [*facts, *await asyncio.to_thread(_left, whole, facts, NAMELESS["key"])]


async def _by_user(store: Store, span: Span) -> list[Fact]:
    leaders = frozenset(await _leaders(store, span))
    facts = [_fact(row, "user") for row in await _rows(store, span, leaders)]
    whole = [Fact(row.day, "", row.counts) for row in await _rows(store, span, None)]
    return [*facts, *await asyncio.to_thread(_left, whole, facts, OTHERS)]


async def _leaders(store: Store, span: Span) -> Sequence[str]:
    """Who has most of the metric in any month that the span touches, the greatest first."""
    best: dict[str, int] = {}
    for month in range(month_of(span.since), month_of(span.until) + 1):
        query = LeaderboardQuery(month=month, tenants=span.tenants, order=span.metric, limit=_READ)
        for row in await store.leaderboard(query):
            if row.user is not None:
                best[row.user] = max(best.get(row.user, 0), metric_of(row.counts, span.metric))
    return sorted(best, key=lambda user: -best[user])[:LEADERS]


def _left(whole: Iterable[Fact], parts: Iterable[Fact], name: str) -> list[Fact]:
    """What is left of each day of the whole when the parts are taken away."""
    of_parts = by_day(parts)
    left = {
        day: difference(counts, of_parts.get(day, Counts()))
        for day, counts in by_day(whole).items()
    }
    return [
        Fact(day, name, counts, is_named=False) for day, counts in left.items() if counts.requests
    ]


def by_day(facts: Iterable[Fact]) -> dict[int, Counts]:
    """Day -> the sum of its facts."""
    days: dict[int, list[Counts]] = {}
    for fact in facts:
        days.setdefault(fact.day, []).append(fact.counts)
    return {day: total(counts) for day, counts in days.items()}
