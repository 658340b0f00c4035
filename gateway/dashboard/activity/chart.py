"""An activity page's chart: bars of the metric, a colour a group."""

from collections.abc import Sequence

from markupsafe import Markup

from gateway.calendar import first_day, month_of, month_text
from gateway.dashboard.activity.facts import Fact
from gateway.dashboard.activity.lines import Line
from gateway.dashboard.activity.span import Span, metric_of
from gateway.dashboard.charts import MONEY, NUMBER, REST, Series, coloured, draw_bars
from gateway.dashboard.formats import short_day, short_hour, shown


def groups_apart(lines: Sequence[Line], span: Span) -> Sequence[str]:
    """The groups with a colour of their own."""
    return coloured([line.name for line in lines if metric_of(line.now, span.metric)])


async def draw_activity(facts: Sequence[Fact], apart: Sequence[str], span: Span) -> Markup | None:
    """A colour for each group of `apart`, and one for the rest; None when there is nothing."""
    steps = _steps(span)
    values = [dict.fromkeys(steps, 0) for _ in (*apart, REST)]
    places = {name: place for place, name in enumerate(apart)}
    for fact in facts:
        if fact.day >= span.since:
            heights = values[places.get(fact.group, -1)]
            heights[_step(fact, span)] += metric_of(fact.counts, span.metric)
    series = [
        Series(shown(name), list(heights.values()))
        for name, heights in zip((*apart, REST), values, strict=True)
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
    return {first_day(month): month_text(month) for month in months}


def _step(fact: Fact, span: Span) -> int:
    if fact.hour is not None:
        return fact.hour
    return fact.day if span.per == "day" else first_day(month_of(fact.day))
