"""docs/benchmarks.md out of one run: the tables, and how to get them again."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench import goals, obstacles, table
from bench.medians import cpu, median_costs, median_of
from bench.plots import Series, plot_bars, plot_lines
from bench.results import Point, Results, Subject
from gateway.units import counted

_TEXT = """\
# Benchmarks

`make bench` writes this page, the plots and [the raw results](benchmarks/results.json); it takes
about half an hour, and the machine should do nothing else meanwhile. `make bench-quick` prints the
same tables from shorter measurements in about 5 minutes.

Measured {date} on {machine.processor}, {machine.cores} cores, Linux {machine.kernel}, Python
{machine.python}. Figures are medians of {plan.rounds} rounds; in parentheses are the lowest and the
highest round. A round runs every program once, freshly started and alone, so that a busy spell of
the machine hits no program more than the others. Growth has as many rounds of its own.

## Compared

{comparison}

![CPU per request](benchmarks/cpu.svg)

Each program runs as one process or thread on a core of its own; the load generator and the mock
provider share the other core. Every program gets the same requests on 64 connections, with the
openai SDK's headers and a body of 150 bytes that names one of 10,000 users, and has the same three
providers to choose from.

- **µs CPU / request**: user and system time of all the program's processes and threads under a
  closed-loop load of {plan.closed:g} s (wrk), divided by the number of answers. Work done after the
  answer counts too: Hearth's includes shipping every record to its store.
- **its store's**: the same for the Redis that Hearth counts in, which runs on the load's core and
  gives way to the load there. The other programs here have no such store: what they count, they
  count in their own memory.
- **requests/s of a core**: under the same load. `≥`: the load was the limit, not the core. Hearth
  ships part of its records after the load: in the long run a core has time for a million divided
  by the µs of CPU per request.
- **p50, p99**: at a constant rate, half of what the program can do but at most {most:,} requests/s.
  Time that a request spends waiting to be sent counts. Without any program in between they are
  {floor.p50:.2f} and {floor.p99:.2f} ms at {floor.offered:,.0f} requests/s. At this rate counting
  saturates a core: with Redis that of the load and the mock provider, with SQLite Hearth's own.
  Hearth's p99 there is that of a saturated core.
- **at 3,000/s**: at the same rate for all programs that can do twice as much in every round,
  {plan.evens} times in each, because one burst from the host's other guests decides the p99 of the
  seconds it falls into. At a low rate a request costs any program more, since processes have to be
  woken for it.
- **µs CPU / SSE chunk**: 100 streams with a chunk every 10 ms; every 500 ms for programs that
  answer fewer than 2,000 requests a second, as they would fall behind.
- **first chunk +**: the median time to the first chunk, less the {floor.first_chunk:.2f} ms it
  takes without any program in between.
- **resident**: memory after the constant load.

{programs}

## Against its goals

Ratios of figures from the same round: the median, with the lowest and the highest round in
parentheses.

{goals}

{obstacles}

## How cost grows

One dimension grows, everything else stays as above. Figures are µs of CPU per request, and per
chunk where streams grow; resident memory is in the raw results. The largest number of streams is
what the limit of open files allows here, at two per stream.

{growth}

## Where Hearth's time goes

Each step is measured by itself, in a loop over the request of the comparison, in the same build.
The rest is what the comparison measured beyond their sum: the kernel's TCP, the event loop, the
coroutine, and cold caches, which a loop does not see. One write appends all records of one turn of
the event loop to the journal. Shipping runs in another process, the supervisor.

{steps}

## Running it again

```
make bench PYTHON=/usr/bin/python3
```

`PYTHON` creates `.venv` if there is none yet, and runs plain aiohttp and LiteLLM as well. The build
of Python matters: one compiled without profile-guided optimization took a fifth more time in
Hearth's own code than Debian's of the same version.

The command installs what is missing: wrk, nginx-light and haproxy with apt-get (as root), the
others into a folder below `bench/`. `python -m bench --only Hearth,nginx` measures only these two.
A program that cannot be installed or does not start is listed as absent.
"""


def write(results: Results, docs: Path, most: int) -> None:
    """The page and, beside it in `benchmarks/`, the raw results and the plots."""
    folder = docs / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    raw = msgspec.json.format(msgspec.json.encode(results), indent=1)
    (folder / "results.json").write_bytes(raw + b"\n")
    plot_bars(folder / "cpu.svg", "µs of CPU for one request", _bars(results.subjects))
    grown = dict.fromkeys(point.dimension for point in results.growth)
    for dimension in grown:
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
        growth="\n\n".join(_grown(results.growth, name) for name in grown),
        steps=table.markdown(("step", "µs"), table.step_rows(results)),
    )
    (docs / "benchmarks.md").write_text(text)


def _programs(subjects: Sequence[Subject]) -> str:
    rows = [(s.name, s.version or "-", s.origin, s.does, _note(s)) for s in subjects]
    return table.markdown(("program", "version", "from", "run as", "note"), rows).replace(
        "---:", "---"
    )


def _note(subject: Subject) -> str:
    """What it could not do, and why it has fewer rounds than others."""
    rounds = counted(len(subject.passes), "round")
    fewer = f"only {rounds}: {subject.absent}" if subject.passes and subject.absent else None
    return "; ".join(note for note in (subject.note, fewer) if note)


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
