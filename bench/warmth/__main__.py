"""The command: simulate, send, print, and write."""

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.results import Machine
from bench.screen import progress, show_table
from bench.warmth import page, sockets, tables
from bench.warmth.backend import Hardware
from bench.warmth.crowd import CROWDED, crowd
from bench.warmth.results import Results, Workload
from bench.warmth.strategies import STRATEGIES
from bench.warmth.study import FULL, QUICK, Plan, compare
from bench.warmth.variations import variants, vary
from bench.warmth.workload import Call, make_calls, read_calls, write_calls


def main() -> int:
    """Run what the command line says."""
    arguments = _arguments()
    plan = QUICK if arguments.quick else FULL
    if arguments.replay:
        _replay(arguments.replay, plan)
        return 0
    calls = make_calls(plan.shape)
    if arguments.record:
        write_calls(arguments.record, calls)
    results = _measure(calls, plan)
    _show(results)
    if arguments.write:
        page.write(arguments.write, simulation=results)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.warmth")
    parser.add_argument("--quick", action="store_true", help="a third of the workload")
    parser.add_argument("--write", type=Path, metavar="DOCS", help="write warmth.md there")
    parser.add_argument("--record", type=Path, metavar="FILE", help="write the calls there")
    parser.add_argument(
        "--replay", type=Path, metavar="FILE", help="compare on these calls, and nothing else"
    )
    return parser.parse_args()


def _replay(recording: Path, plan: Plan) -> None:
    try:
        calls = read_calls(recording)
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    if not calls or calls[-1].at < plan.warm_up:
        sys.exit(f"{recording} has no calls after the first {plan.warm_up:g} seconds")
    with progress(len(STRATEGIES)) as step:
        rows = compare(calls, plan, step)
    show_table(*tables.compared(rows))


def _measure(calls: Sequence[Call], plan: Plan) -> Results:
    began = time.monotonic()
    simulations = len(STRATEGIES) + len(CROWDED) + len(list(variants(plan.varied)))
    with progress(simulations + sockets.RUNS) as step:
        rows = compare(calls, plan, step)
        variations = vary(plan, step)
        batch = crowd(plan, step)
        confirmations = asyncio.run(sockets.confirm(step))
    return Results(
        date=time.strftime("%Y-%m-%d"),
        machine=Machine.here(),
        took=time.monotonic() - began,
        plan=plan,
        hardware=Hardware(),
        workload=_in_numbers(calls),
        rows=rows,
        variations=variations,
        batch=batch,
        speed=sockets.SPEED,
        confirmations=confirmations,
    )


def _in_numbers(calls: Sequence[Call]) -> Workload:
    return Workload(
        calls=len(calls),
        users=len({call.user for call in calls}),
        conversations=len({call.conversation for call in calls}),
        tokens=sum(call.prompt for call in calls),
    )


def _show(results: Results) -> None:
    show_table(*tables.compared(results.rows))
    show_table(*tables.varied(results.variations))
    show_table(*tables.crowded(results.batch))
    show_table(*tables.confirmed(results.confirmations))


if __name__ == "__main__":
    sys.exit(main())
