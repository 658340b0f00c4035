"""What was measured as rows of text: medians of the rounds, with the spread where it matters."""

from collections.abc import Sequence

from bench.medians import (
    Figure,
    chunk_cpu,
    cpu,
    even_cpu,
    even_p99,
    median_costs,
    median_of,
    values_of,
)
from bench.results import Floor, Pass, Point, Results, Subject
from bench.spread import Spread

_MIB = 1024 * 1024
_SATURATED = 0.97
"""Share of its core above which a program, and not the load, was the limit."""

COLUMNS = (
    "program",
    "µs CPU / request",
    "its store's",
    "requests/s of a core",
    "p50 ms",
    "p99 ms",
    "at requests/s",
    "p99 ms at 3,000/s",
    "µs CPU at 3,000/s",
    "µs CPU / SSE chunk",
    "first chunk + ms",
    "resident MiB",
)

Row = tuple[str, ...]


def rows(subjects: Sequence[Subject], floor: Floor) -> list[Row]:
    """A row for every program, COLUMNS long; one without a round says why in its second cell."""
    return [_row(subject, floor) for subject in subjects]


def growth_rows(points: Sequence[Point], dimension: str) -> tuple[Sequence[str], list[Row]]:
    """The columns and rows of one dimension: a row for each size, a column for each program."""
    costs = {
        (program, size): number(cost)
        for (measured, program, size), cost in median_costs(points).items()
        if measured == dimension
    }
    programs = list(dict.fromkeys(program for program, _ in costs))
    sizes = sorted({size for _, size in costs})
    rows = [(f"{size:,}", *(costs.get((name, size), "-") for name in programs)) for size in sizes]
    return (dimension, *programs), rows


def step_rows(results: Results) -> list[Row]:
    """The steps, then what Hearth took beyond them."""
    rows: list[Row] = [(step.name, number(step.cost)) for step in results.steps]
    passes = [each for s in results.subjects if s.name == "Hearth" for each in s.passes]
    total, system = median_of(cpu, passes), median_of(lambda p: p.requests.system, passes)
    if total is None:
        return rows
    rest = total - sum(step.cost for step in results.steps)
    return [
        *rows,
        (f"the rest, of which about {_cell(system)} in the kernel", number(rest)),
        ("**a request**", f"**{number(total)}**"),
    ]


def markdown(columns: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first column is text, the others are numbers."""
    lines = [columns, ("---", *("---:" for _ in columns[1:])), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: float) -> str:
    """Three digits that count, thousands apart: 0.123, 4.56, 78.9, 1,234."""
    if value >= 99.95:
        return f"{value:,.0f}"
    return (
        f"{value:.1f}" if value >= 9.995 else f"{value:.2f}" if value >= 0.9995 else f"{value:.3f}"
    )


def times(ratio: float) -> str:
    """1.56 x, or 1/1.56."""
    return f"{number(ratio)} x" if ratio >= 1 else f"1/{number(1 / ratio)}"


def _row(subject: Subject, floor: Floor) -> Row:
    if not subject.passes:
        return (subject.name, f"absent: {subject.absent}", *("-" for _ in COLUMNS[2:]))

    def median(figure: Figure) -> str:
        return _cell(median_of(figure, subject.passes))

    evens = subject.passes if all(each.even for each in subject.passes) else ()
    first = median_of(lambda p: p.first_chunk, subject.passes)
    return (
        subject.name,
        _with_spread(values_of(cpu, subject.passes)),
        median(lambda p: p.requests.beside or None),
        _rate(subject.passes),
        median(lambda p: p.half.p50),
        median(lambda p: p.half.p99),
        median(lambda p: p.half.offered),
        _cell(median_of(even_p99, evens)),
        _cell(median_of(even_cpu, evens)),
        median(chunk_cpu),
        _cell(None if first is None else max(0.0, first - floor.first_chunk)),
        median(lambda p: p.resident / _MIB),
    )


def _rate(passes: Sequence[Pass]) -> str:
    """At least so many where the load could not keep the program's core busy."""
    busy = median_of(lambda p: p.requests.busy, passes) or 0.0
    rate = _cell(median_of(lambda p: p.requests.rate, passes))
    return rate if busy >= _SATURATED else f"≥ {rate}"


def _with_spread(values: Sequence[float]) -> str:
    spread = Spread.of(values)
    if len(values) == 1:
        return number(spread.median)
    return f"{number(spread.median)} ({number(spread.low)} to {number(spread.high)})"


def _cell(value: float | None) -> str:
    return "-" if value is None else number(value)
