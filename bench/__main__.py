"""`python -m bench [--quick] [--only NAME,...] [--write DOCS]`: measure, print, and write."""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from bench import goals, growth, report, rounds, steps, table
from bench.installing import debian
from bench.plan import FULL, QUICK, Plan
from bench.processes import allow_all_files, cores, first_line, running
from bench.program import Absent, Program
from bench.programs import PROGRAMS
from bench.results import Machine, Results
from bench.screen import progress, show_table

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
    allow_all_files()
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
    total = (len(programs) + len(grown) * len(growth.DIMENSIONS)) * plan.rounds + 2
    with progress(total) as step:
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


def _show(results: Results) -> None:
    show_table(table.COLUMNS, table.rows(results.subjects, results.floor))
    for dimension in growth.DIMENSIONS:
        show_table(*table.growth_rows(results.growth, dimension))
    show_table(("step of Hearth", "µs"), table.step_rows(results))
    show_table(goals.COLUMNS, goals.rows(results))


if __name__ == "__main__":
    sys.exit(main())
