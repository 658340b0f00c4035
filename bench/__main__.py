"""`python -m bench [--quick] [--only NAME,...] [--write DOCS]`: measure, print, and write."""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench import growth, report, rounds, steps, table
from bench.installing import debian
from bench.plan import FULL, QUICK, Plan
from bench.processes import cores, first_line, running
from bench.program import Absent, Program
from bench.programs import PROGRAMS
from bench.results import Machine, Results

_PORTS = max(growth.PROVIDERS)
_PROVIDERS = 3


def main() -> int:
    """Run the benchmark of the command line."""
    arguments = _arguments()
    programs = _chosen(arguments.only)
    plan = QUICK if arguments.quick else FULL
    try:
        debian("wrk", "wrk")
    except Absent as error:
        sys.exit(f"the load cannot be made: {error}")
    with _mock_provider() as upstreams:
        results = _measure(programs, upstreams, plan)
    _show(results)
    if arguments.write:
        report.write(results, arguments.write, rounds.MOST)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short measurements, one round")
    parser.add_argument("--only", metavar="NAME,...", help="these programs of the table")
    parser.add_argument("--write", type=Path, metavar="DOCS", help="write benchmarks.md there")
    return parser.parse_args()


def _chosen(only: str | None) -> Sequence[Program]:
    if only is None:
        return PROGRAMS
    names = [name.strip().lower() for name in only.split(",")]
    chosen = [program for program in PROGRAMS if program.name.lower() in names]
    if len(chosen) != len(names):
        sys.exit(f"there are: {', '.join(program.name for program in PROGRAMS)}")
    return chosen


@contextmanager
def _mock_provider() -> Iterator[list[int]]:
    """The mock provider's ports."""
    command = (sys.executable, "-m", "bench.upstream", "--ports", str(_PORTS))
    with tempfile.TemporaryDirectory(prefix="hearth-bench-") as folder:
        log = Path(folder) / "upstream.log"
        with running(command, cores()[1], log):
            yield msgspec.json.decode(first_line(log, 10), type=list[int])


def _measure(programs: Sequence[Program], upstreams: Sequence[int], plan: Plan) -> Results:
    grown = [program for program in programs if program.name in plan.grown]
    total = len(programs) * plan.rounds + len(grown) * len(growth.DIMENSIONS) + 2
    with _progress(total) as step:
        step("the load alone")
        floor = rounds.measure_floor(upstreams, plan)
        subjects = rounds.compare(programs, upstreams[:_PROVIDERS], plan, step)
        points = growth.grow(grown, upstreams, plan, step)
        step("the steps of Hearth")
        return Results(
            machine=Machine.here(),
            plan=plan,
            date=time.strftime("%Y-%m-%d"),
            floor=floor,
            subjects=subjects,
            growth=points,
            steps=steps.measure(),
        )


@contextmanager
def _progress(total: int) -> Iterator[Callable[[str], None]]:
    """A bar; tell it what begins."""
    columns = (TextColumn("{task.description:40}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as progress:
        bar = progress.add_task("", total=total, completed=-1)

        def step(what: str) -> None:
            progress.update(bar, description=what, advance=1)

        yield step
        progress.update(bar, description="done", completed=total)


def _show(results: Results) -> None:
    console = Console(width=None if sys.stdout.isatty() else 160)
    _print(console, table.COLUMNS, table.rows(results.subjects, results.floor))
    for dimension in growth.DIMENSIONS:
        _print(console, *table.growth_rows(results.growth, dimension))
    _print(console, ("step of Hearth", "µs"), table.step_rows(results))


def _print(console: Console, columns: Sequence[str], rows: Sequence[table.Row]) -> None:
    shown = Table(*columns)
    for column in shown.columns[1:]:
        column.justify = "right"
    for row in rows:
        shown.add_row(*row)
    console.print(shown)


if __name__ == "__main__":
    sys.exit(main())
