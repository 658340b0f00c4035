"""Spend, requests and tokens: totals against the period before, a chart, and what moved."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import msgspec
from markupsafe import Markup

from gateway.api.days import read_days
from gateway.api.openrouter.activity_item import BY_USER, activity_row, own_columns
from gateway.calendar import day_text
from gateway.dashboard.activity import span as spans
from gateway.dashboard.activity.chart import draw_activity, groups_apart
from gateway.dashboard.activity.facts import read_facts, read_hours
from gateway.dashboard.activity.lines import Line, fallen, lines_of, risen, shortened
from gateway.dashboard.activity.report import write_report
from gateway.dashboard.activity.span import Span, read_span
from gateway.dashboard.visit import Document, Page, Table, Visit
from gateway.ledger.counts import Counts, total
from gateway.ledger.queries import ActivityQuery, Dimension
from gateway.ledger.store import Store

PARAMETERS = (*spans.PARAMETERS, "format")
PRESETS = (1, 7, 30, 90, 365)

_PIECE = 500


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows.

    `since_of`: the first day of each preset; `now` and `before` are of the span and of the period
    before it; `swatches`: the number of the colour of each group that has one.
    """

    span: Span
    groups: Sequence[str] = spans.GROUPS
    metrics: Sequence[str] = spans.METRICS
    steps: Sequence[str] = spans.STEPS
    presets: Sequence[int] = PRESETS
    since_of: Mapping[int, str]
    now: Counts
    before: Counts
    lines: Sequence[Line]
    swatches: Mapping[str, int]
    chart: Markup | None
    risen: Sequence[Line]
    fallen: Sequence[Line]


async def show_activity(visit: Visit) -> Page | Table | Document:
    """The page, its daily rows as CSV, or its totals and groups as PDF."""
    span, form = read_span(visit), visit.form("csv", "pdf")
    store = await visit.context.ledger.fresh()
    name = f"activity-{day_text(span.since)}-{day_text(span.until)}"
    if form == "csv":
        return Table(name, own_columns(_kept_apart(span)), _table(store, span))
    facts = await read_facts(store, span, visit.keys)
    lines = await asyncio.to_thread(lines_of, facts, span)
    now, before = total(line.now for line in lines), total(line.before for line in lines)
    if form == "pdf":
        body = await write_report(span, now, before, shortened(lines, span))
        return Document(f"{name}.pdf", "application/pdf", body)
    apart = groups_apart(lines, span)
    drawn = await read_hours(store, span) if span.per == "hour" else facts
    activity = Activity(
        span=span,
        since_of={days: day_text(visit.today - days + 1) for days in PRESETS},
        now=now,
        before=before,
        lines=shortened(lines, span),
        swatches={name: place for place, name in enumerate(apart)},
        chart=await draw_activity(drawn, apart, span),
        risen=risen(lines, span.metric),
        fallen=fallen(lines, span.metric),
    )
    return Page("activity.html", activity)


def _kept_apart(span: Span) -> frozenset[Dimension]:
    """What rows are kept apart by, beside day, model and provider."""
    if span.user is not None:
        return BY_USER
    groups: Mapping[str, frozenset[Dimension]] = {
        "user": BY_USER,
        "key": frozenset({"tenant"}),
        "route": frozenset({"route"}),
    }
    return groups.get(span.group, frozenset())


async def _table(store: Store, span: Span) -> AsyncIterator[list[dict[str, Any]]]:
    """The API's rows of the span with the page's filters; a day at a time, the newest first.
    TooManyUsers where a day has more of them than the API reads."""
    by = _kept_apart(span)
    for day in range(span.until, span.since - 1, -1):
        query = ActivityQuery(since=day, until=day, tenants=span.tenants, users=span.users, by=by)
        rows = [row for row in await read_days(store, query) if span.keeps(row)]
        for start in range(0, len(rows), _PIECE):
            yield [activity_row(row, by) for row in rows[start : start + _PIECE]]
