"""Spend, requests and tokens: totals against the period before, a chart, and what moved."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from gateway.api.openrouter.activity_item import BY_USER, activity_row, own_columns
from gateway.calendar import day_text, first_day, month_of
from gateway.dashboard import span as spans
from gateway.dashboard.charts import COLOURS, MONEY, NUMBER, Series, draw_bars
from gateway.dashboard.facts import Fact, metric_of, read_facts, read_hours
from gateway.dashboard.formats import short_day, short_hour, shown
from gateway.dashboard.lines import Line, fallen, lines_of, risen
from gateway.dashboard.report import write_report
from gateway.dashboard.span import Span, read_span
from gateway.dashboard.sums import total
from gateway.dashboard.visit import Document, Page, Table, Visit
from gateway.ledger.store import ActivityQuery, Dimension, Store

PARAMETERS = (*spans.PARAMETERS, "format")
PRESETS = (1, 7, 30, 90, 365)

_PIECE = 500
_REST = "Others"


async def show_activity(visit: Visit) -> Page | Table | Document:
    """The page, its daily rows as CSV, or its totals and groups as PDF."""
    span = read_span(visit)
    store = await visit.context.ledger.fresh()
    name = f"activity-{day_text(span.since)}-{day_text(span.until)}"
    if visit.values.get("format") == "csv":
        return Table(name, own_columns(_kept_apart(span)), _table(store, span))
    facts = await read_facts(store, span, visit.keys)
    lines = lines_of(facts, span)
    now, before = total(line.now for line in lines), total(line.before for line in lines)
    if visit.values.get("format") == "pdf":
        body = await write_report(span, now, before, lines)
        return Document(f"{name}.pdf", "application/pdf", body)
    apart = _apart(lines, span.metric)
    drawn = await read_hours(store, span) if span.per == "hour" else facts
    values: Mapping[str, Any] = {
        "span": span,
        "groups": spans.GROUPS,
        "metrics": spans.METRICS,
        "steps": spans.STEPS,
        "presets": PRESETS,
        "since_of": {days: day_text(visit.today - days + 1) for days in PRESETS},
        "now": now,
        "before": before,
        "lines": lines,
        "swatches": {name: place for place, name in enumerate(apart)},
        "chart": await _chart(drawn, apart, span),
        "risen": risen(lines, span.metric),
        "fallen": fallen(lines, span.metric),
    }
    return Page("activity.html", values)


def _apart(lines: Sequence[Line], metric: str) -> list[str]:
    """The groups with a colour of their own; the last colour is for all the others."""
    own = [line.name for line in lines if metric_of(line.now, metric)]
    return own if len(own) <= COLOURS else own[: COLOURS - 1]


async def _chart(facts: Sequence[Fact], apart: Sequence[str], span: Span) -> Markup | None:
    """A colour for each group of `apart`, and one for the rest; None when there is nothing."""
    steps = _steps(span)
    values = [dict.fromkeys(steps, 0) for _ in (*apart, _REST)]
    places = {name: place for place, name in enumerate(apart)}
    for fact in facts:
        if fact.day >= span.since:
            heights = values[places.get(fact.group, -1)]
            heights[_step(fact, span)] += metric_of(fact.counts, span.metric)
    series = [
        Series(shown(name), list(heights.values()))
        for name, heights in zip((*apart, _REST), values, strict=True)
    ]
    if not any(any(each.values) for each in series):
        return None
    title = f"{span.metric.capitalize()} by {span.per} and {span.group}"
    unit = MONEY if span.metric == "cost" else NUMBER
    return await draw_bars(title, list(steps.values()), series, unit)


def _steps(span: Span) -> dict[int, str]:
    """The hour of each step, or its first day -> its label."""
    if span.per == "hour":
        return {hour: short_hour(hour) for hour in range(span.since * 24, (span.until + 1) * 24)}
    if span.per == "day":
        return {day: short_day(day) for day in range(span.since, span.until + 1)}
    months = range(month_of(span.since), month_of(span.until) + 1)
    return {first_day(month): day_text(first_day(month))[:7] for month in months}


def _step(fact: Fact, span: Span) -> int:
    if fact.hour is not None:
        return fact.hour
    return fact.day if span.per == "day" else first_day(month_of(fact.day))


def _kept_apart(span: Span) -> frozenset[Dimension]:
    """What rows are by beside day, model and provider."""
    if span.user is not None:
        return BY_USER
    groups: Mapping[str, frozenset[Dimension]] = {
        "user": BY_USER,
        "key": frozenset({"tenant"}),
        "route": frozenset({"route"}),
    }
    return groups.get(span.group, frozenset())


async def _table(store: Store, span: Span) -> AsyncIterator[list[dict[str, Any]]]:
    """The API's rows of the span with the page's filters; a day at a time, the newest first."""
    by = _kept_apart(span)
    for day in range(span.until, span.since - 1, -1):
        query = ActivityQuery(since=day, until=day, tenants=span.tenants, users=span.users, by=by)
        rows = [
            activity_row(row, by)
            for row in await store.activity(query)
            if span.model in (None, row.model) and span.provider in (None, row.provider)
        ]
        for start in range(0, len(rows), _PIECE):
            yield rows[start : start + _PIECE]
