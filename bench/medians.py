"""Medians over the rounds: of a figure of one program, and of every point of growth."""

from collections.abc import Callable, Mapping, Sequence

from bench.results import Pass, Point
from bench.spread import Spread

Figure = Callable[[Pass], float | None]
"""What a round says of its program; None where it could not be measured."""

Size = tuple[str, str, int]
"""A point's dimension, program and size."""


def values_of(figure: Figure, passes: Sequence[Pass]) -> Sequence[float]:
    """The figure in each round that has it."""
    return [value for each in passes if (value := figure(each)) is not None]


def median_of(figure: Figure, passes: Sequence[Pass]) -> float | None:
    """None when no round has the figure."""
    values = values_of(figure, passes)
    return Spread.of(values).median if values else None


def median_costs(points: Sequence[Point]) -> Mapping[Size, float]:
    """CPU µs at each size, in the order in which the sizes were first measured."""
    costs: dict[Size, list[float]] = {}
    for point in points:
        costs.setdefault((point.dimension, point.program, point.size), []).append(point.cpu)
    return {size: Spread.of(values).median for size, values in costs.items()}


def cpu(done: Pass) -> float:
    """µs a request."""
    return done.requests.cpu


def chunk_cpu(done: Pass) -> float | None:
    """µs an SSE chunk."""
    return done.streaming.cpu if done.streaming else None


def chunk_system(done: Pass) -> float | None:
    """The kernel's part of it."""
    return done.streaming.system if done.streaming else None


def chunk_user(done: Pass) -> float | None:
    """The program's own part of it."""
    return done.streaming.user if done.streaming else None


def even_p99(done: Pass) -> float | None:
    """Milliseconds at the rate that is the same for all: the median of the round's measurements,
    as one burst of the machine's other guests decides the p99 of the few seconds it is in."""
    return Spread.of([each.p99 for each in done.even]).median if done.even else None


def even_cpu(done: Pass) -> float | None:
    """µs a request at that rate."""
    return Spread.of([each.cpu for each in done.even]).median if done.even else None
