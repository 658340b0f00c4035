"""What Hearth set out to reach, as ratios in one run, and how near it came."""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from bench.results import Pass, Point, Results
from bench.spread import Spread
from bench.table import Row, number

COLUMNS = ("figure", "at most", "measured", "")

_OURS = "Hearth"

Figure = Callable[[Pass], float | None]


class _Ratio(msgspec.Struct, frozen=True):
    """Hearth's figure is to be at most `limit` times another program's."""

    name: str
    figure: Figure
    other: str
    limit: float


def _cpu(done: Pass) -> float:
    return done.requests.cpu


def _chunk(done: Pass) -> float | None:
    return done.streaming.cpu if done.streaming else None


def _p99(done: Pass) -> float | None:
    return done.even.p99 if done.even else None


_RATIOS = (
    _Ratio("CPU per request", _cpu, "HAProxy", 2.2),
    _Ratio("CPU per request", _cpu, "vLLM router", 1 / 2.5),
    _Ratio("CPU per request", _cpu, "SMG", 1 / 2.5),
    _Ratio("CPU per request", _cpu, "Portkey", 1 / 40),
    _Ratio("CPU per request", _cpu, "LiteLLM", 1 / 250),
    _Ratio("CPU per SSE chunk", _chunk, "nginx", 1.4),
    _Ratio("CPU per SSE chunk", _chunk, "vLLM router", 1.0),
    _Ratio("p99 at the same rate", _p99, "HAProxy", 3.0),
)
_GROWTH = (("providers", 3, 100, 1.1), ("users", 1, 1_000_000, 1.1))


def rows(results: Results) -> list[Row]:
    """A row for each goal whose two sides were measured."""
    return [*_compared(results), *_grown(results.growth)]


def _compared(results: Results) -> Iterator[Row]:
    passes = {subject.name: subject.passes for subject in results.subjects}
    for goal in _RATIOS:
        ours = _median(goal.figure, passes.get(_OURS, ()))
        other = _median(goal.figure, passes.get(goal.other, ()))
        if ours and other:
            yield _row(f"{goal.name}, against {goal.other}", goal.limit, ours / other)


def _grown(points: Sequence[Point]) -> Iterator[Row]:
    costs = {(p.dimension, p.size): p.cpu for p in points if p.program == _OURS}
    for dimension, few, many, limit in _GROWTH:
        if (dimension, few) in costs and (dimension, many) in costs:
            name = f"CPU per request, {few:,} to {many:,} {dimension}"
            yield _row(name, limit, costs[dimension, many] / costs[dimension, few])


def _median(figure: Figure, passes: Sequence[Pass]) -> float | None:
    values = [value for each in passes if (value := figure(each)) is not None]
    return Spread.of(values).median if values else None


def _row(name: str, limit: float, ratio: float) -> Row:
    verdict = "reached" if ratio <= limit else f"missed, {number(ratio / limit)} times the limit"
    return name, _times(limit), _times(ratio), verdict


def _times(ratio: float) -> str:
    return f"{number(ratio)} x" if ratio >= 1 else f"1/{number(1 / ratio)}"
