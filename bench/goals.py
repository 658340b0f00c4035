"""What Hearth set out to reach, as ratios in one run, and how near it came."""

import math
from collections.abc import Iterator, Sequence

import msgspec

from bench.medians import Figure, chunk_cpu, cpu, even_p99
from bench.results import Point, Results
from bench.spread import Spread
from bench.table import Row, times

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
_GROWTH = {"providers": (3, 100, 1.1), "users": (1, 1_000_000, 1.1)}
"""From how many to how many of what, and how many times as much that may cost."""


def rows(results: Results) -> list[Row]:
    """A row for each goal whose two sides were measured in one round."""
    return [*_compared(results), *_grown(results.growth)]


def growths(points: Sequence[Point], program: str, dimension: str) -> Sequence[float]:
    """How many times as much the most providers, or users, cost as the fewest, round by round."""
    few, many, _ = _GROWTH[dimension]
    before, after = (_costs(points, program, dimension, size) for size in (few, many))
    return [b / a for a, b in zip(before, after, strict=False)]


def _compared(results: Results) -> Iterator[Row]:
    passes = {subject.name: subject.passes for subject in results.subjects}
    for goal in _RATIOS:
        pairs = zip(passes.get(_OURS, ()), passes.get(goal.other, ()), strict=False)
        both = [(goal.figure(ours), goal.figure(other)) for ours, other in pairs]
        ratios = [ours / other for ours, other in both if ours and other]
        if ratios:
            yield _row(f"{goal.name}, against {goal.other}", goal.limit, ratios)


def _grown(points: Sequence[Point]) -> Iterator[Row]:
    for dimension, (few, many, limit) in _GROWTH.items():
        ratios = growths(points, _OURS, dimension)
        if ratios:
            yield _row(f"CPU per request, {few:,} to {many:,} {dimension}", limit, ratios)


def _costs(points: Sequence[Point], program: str, dimension: str, size: int) -> Sequence[float]:
    """Round by round."""
    place = (program, dimension, size)
    return [each.cpu for each in points if (each.program, each.dimension, each.size) == place]


def _row(name: str, limit: float, ratios: Sequence[float]) -> Row:
    spread = Spread.of(ratios)
    measured = times(spread.median)
    if len(ratios) > 1:
        measured += f" ({times(spread.low)} to {times(spread.high)})"
    beyond = math.ceil((spread.median / limit - 1) * 100)
    return name, times(limit), measured, f"missed by {beyond} %" if beyond > 0 else "reached"
