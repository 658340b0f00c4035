"""An activity page's table: a line a group, now and before, and which lines moved most."""

from collections.abc import Iterable, Sequence

import msgspec

from gateway.dashboard.activity.facts import NAMELESS, OTHERS, Fact
from gateway.dashboard.activity.span import Metric, Span, metric_of
from gateway.ledger.counts import Counts, total

_MOVERS = 3
_MOST = 200
_LAST = (OTHERS, NAMELESS["key"])


class Line(msgspec.Struct, frozen=True):
    """A group: its counts in the span and in the period before. `is_named` as of its facts."""

    name: str
    now: Counts
    before: Counts
    is_named: bool

    def growth(self, metric: Metric) -> int:
        """By how much its metric grew."""
        return metric_of(self.now, metric) - metric_of(self.before, metric)


def lines_of(facts: Iterable[Fact], span: Span) -> list[Line]:
    """Most of the metric first, everyone else last."""
    groups: dict[tuple[str, bool], list[Fact]] = {}
    for fact in facts:
        groups.setdefault((fact.group, fact.is_named), []).append(fact)
    lines = [
        Line(
            name,
            now=total(fact.counts for fact in some if fact.day >= span.since),
            before=total(fact.counts for fact in some if fact.day < span.since),
            is_named=is_named,
        )
        for (name, is_named), some in groups.items()
    ]
    return sorted(
        lines,
        key=lambda line: (
            not line.is_named and line.name in _LAST,
            -metric_of(line.now, span.metric),
            line.name,
        ),
    )


def shortened(lines: Sequence[Line], span: Span) -> Sequence[Line]:
    """The first lines, and all others as one: clients may call models whatever they like."""
    rest = lines[_MOST:]
    if not rest:
        return lines
    now, before = total(line.now for line in rest), total(line.before for line in rest)
    return [*lines[:_MOST], Line(f"Other {span.group}s", now, before, is_named=False)]


def risen(lines: Iterable[Line], metric: Metric) -> Sequence[Line]:
    """The groups that grew most, the largest growth first."""
    grown = [line for line in lines if line.is_named and line.growth(metric) > 0]
    return sorted(grown, key=lambda line: -line.growth(metric))[:_MOVERS]


def fallen(lines: Iterable[Line], metric: Metric) -> Sequence[Line]:
    """The groups that shrank most, the largest loss first."""
    shrunk = [line for line in lines if line.is_named and line.growth(metric) < 0]
    return sorted(shrunk, key=lambda line: line.growth(metric))[:_MOVERS]
