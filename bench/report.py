"""docs/benchmarks.md out of one run: the tables, and how to get them again."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench import goals, growth, obstacles, table
from bench.medians import cpu, median_costs, median_of
from bench.plots import Series, plot_bars, plot_lines
from bench.results import Point, Results, Subject

_TEXT = """\
# Benchmarks

`make bench` writes this page, the plots and [the raw results](benchmarks/results.json); it takes
about half an hour and asks the machine for nothing else meanwhile. `make bench-quick` prints the
same tables from shorter measurements in about 5 minutes.

Measured {date} on {machine.processor}, {machine.cores} cores, Linux {machine.kernel}, Python
{machine.python}. Medians of {plan.rounds} rounds; a round runs every program once, started afresh
and alone, so that a busy moment of the machine hits none more than the others. In parentheses the
lowest and the highest round. Growth is measured in as many rounds of its own.

## Compared

{comparison}

![CPU per request](benchmarks/cpu.svg)

Each program runs as one process or thread on a core of its own; the load and the mock provider
share the other. Every program gets the same requests, the openai SDK's headers and a body of 150
bytes with one of 10,000 users, on 64 connections, and has the same three providers to choose from.

- **µs CPU / request**: user and system time of all its processes and threads in a closed load of
  {plan.closed:g} s (wrk), divided by the answers. Work that comes after the answer counts: Hearth's
  shipping to its store is in it, to the last record.
- **its store's**: the same of the Redis that Hearth counts in, which runs on the load's core. Every
  gateway that counts needs one, and those here that count do it in their own memory.
- **requests/s of a core**: in the same load. `≥`: the core was not busy, the load was the limit.
- **p50, p99**: at a constant rate, half of what the program can do, or {most:,} requests/s where
  that is less; a request that has to wait has waited. Without any program they are
  {floor.p50:.2f} and {floor.p99:.2f} ms at {floor.offered:,.0f} requests/s. At this rate counting
  fills a core, Redis that of the load and the mock provider, SQLite Hearth's own: Hearth's p99
  there is that of a full core.
- **at 3,000/s**: at one rate for all that can do twice as much, {plan.evens} times in a round, as
  one burst of the machine's other guests decides the p99 of the seconds it falls into. A request
  that finds everybody asleep costs any program more than one in a crowd, as each side has to be
  woken for it.
- **µs CPU / SSE chunk**: 100 streams with a chunk every 10 ms; every 500 ms for programs that
  answer fewer than 2,000 requests a second, as they would fall behind.
- **first chunk +**: the median time to the first chunk, less the {floor.first_chunk:.2f} ms it
  takes without any program.
- **resident**: after the constant load.

{programs}

## Against what it set out to reach

Ratios of what was measured in the same round: the median, and in parentheses the lowest and the
highest round.

{goals}

{obstacles}

## How cost grows

One thing grows, the rest stays as above. CPU µs for each request, and for each chunk where streams
grow; the resident memory is in the raw results. The most streams are as many as one process may
have files open here, two for each.

{growth}

## Where Hearth's time goes

Each step by itself, called over and over on the request of the comparison, in the same build; the
rest is what the comparison measured beyond their sum: the kernel's TCP, the event loop, the
coroutine, and cold caches, which a step that is called over and over does not meet. The journal
takes the records of a turn of the event loop with one write. Shipping is in another process, the
supervisor.

{steps}

## Again

```
make bench PYTHON=/usr/bin/python3
```

`PYTHON` makes `.venv`, where there is none yet, and runs plain aiohttp and LiteLLM as well. Which
build of Python it is decides much: one that was compiled without profile-guided optimization took
a fifth more time in Hearth's own code than Debian's of the same version.

The command installs what is missing: wrk, nginx-light and haproxy by apt-get (as root), the others
into a folder of the bench. `python -m bench --only Hearth,nginx` measures a few. What cannot be
installed or does not start is in the table as absent.
"""


def write(results: Results, docs: Path, most: int) -> None:
    """The page and, beside it in `benchmarks/`, the raw results and the plots."""
    folder = docs / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    raw = msgspec.json.format(msgspec.json.encode(results), indent=1)
    (folder / "results.json").write_bytes(raw + b"\n")
    plot_bars(folder / "cpu.svg", "µs of CPU for one request", _bars(results.subjects))
    for dimension in growth.DIMENSIONS:
        lines = _lines(results.growth, dimension)
        plot_lines(folder / _plot(dimension), f"µs of CPU by {dimension}", lines)
    text = _TEXT.format(
        date=results.date,
        machine=results.machine,
        plan=results.plan,
        floor=results.floor,
        most=most,
        comparison=table.markdown(table.COLUMNS, table.rows(results.subjects, results.floor)),
        programs=_programs(results.subjects),
        goals=table.markdown(goals.COLUMNS, goals.rows(results)),
        obstacles=obstacles.paragraphs(results),
        growth="\n\n".join(_grown(results.growth, name) for name in growth.DIMENSIONS),
        steps=table.markdown(("step", "µs"), table.step_rows(results)),
    )
    (docs / "benchmarks.md").write_text(text)


def _programs(subjects: Sequence[Subject]) -> str:
    rows = [(s.name, s.version or "-", s.origin, s.does, s.note or "") for s in subjects]
    return table.markdown(("program", "version", "from", "run as", "note"), rows).replace(
        "---:", "---"
    )


def _grown(points: Sequence[Point], dimension: str) -> str:
    columns, rows = table.growth_rows(points, dimension)
    return f"{table.markdown(columns, rows)}\n\n![{dimension}](benchmarks/{_plot(dimension)})"


def _plot(dimension: str) -> str:
    return f"{dimension.replace(' ', '-')}.svg"


def _bars(subjects: Sequence[Subject]) -> dict[str, float]:
    costs = {subject.name: median_of(cpu, subject.passes) for subject in subjects}
    return {name: cost for name, cost in costs.items() if cost is not None}


def _lines(points: Sequence[Point], dimension: str) -> Series:
    lines: dict[str, list[tuple[int, float]]] = {}
    for (measured, program, size), cost in median_costs(points).items():
        if measured == dimension:
            lines.setdefault(program, []).append((size, cost))
    return lines
