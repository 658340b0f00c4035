"""What Hearth set out to reach, as ratios in one run, and how near it came."""

from collections.abc import Iterator, Sequence

import msgspec

from bench.medians import Figure, chunk_cpu, cpu, even_p99, median_costs, median_of
from bench.results import Point, Results
from bench.table import Row, number

COLUMNS = ("figure", "at most", "measured", "")

_OURS = "Hearth"


class _Ratio(msgspec.Struct, frozen=True):
    """Hearth's figure is to be at most `limit` times another program's."""

    name: str
    figure: Figure
    other: str
    limit: float


_RATIOS = (
    _Ratio("CPU per request", cpu, "HAProxy", 2.2),
    _Ratio("CPU per request", cpu, "vLLM router", 1 / 2.5),
    _Ratio("CPU per request", cpu, "SMG", 1 / 2.5),
    _Ratio("CPU per request", cpu, "Portkey", 1 / 40),
    _Ratio("CPU per request", cpu, "LiteLLM", 1 / 250),
    _Ratio("CPU per SSE chunk", chunk_cpu, "nginx", 1.4),
    _Ratio("CPU per SSE chunk", chunk_cpu, "vLLM router", 1.0),
    _Ratio("p99 at the same rate", even_p99, "HAProxy", 3.0),
)
_GROWTH = (("providers", 3, 100, 1.1), ("users", 1, 1_000_000, 1.1))


def rows(results: Results) -> list[Row]:
    """A row for each goal whose two sides were measured."""
    return [*_compared(results), *_grown(results.growth)]


def _compared(results: Results) -> Iterator[Row]:
    passes = {subject.name: subject.passes for subject in results.subjects}
    for goal in _RATIOS:
        ours = median_of(goal.figure, passes.get(_OURS, ()))
        other = median_of(goal.figure, passes.get(goal.other, ()))
        if ours and other:
            yield _row(f"{goal.name}, against {goal.other}", goal.limit, ours / other)


def _grown(points: Sequence[Point]) -> Iterator[Row]:
    costs = median_costs(points)
    for dimension, few, many, limit in _GROWTH:
        before, after = costs.get((dimension, _OURS, few)), costs.get((dimension, _OURS, many))
        if before and after:
            name = f"CPU per request, {few:,} to {many:,} {dimension}"
            yield _row(name, limit, after / before)


def _row(name: str, limit: float, ratio: float) -> Row:
    verdict = "reached" if ratio <= limit else f"missed, {number(ratio / limit)} times the limit"
    return name, _times(limit), _times(ratio), verdict


def _times(ratio: float) -> str:
    return f"{number(ratio)} x" if ratio >= 1 else f"1/{number(1 / ratio)}"
