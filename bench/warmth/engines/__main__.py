"""The command: measure, print, and write."""

import argparse
import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench.results import Machine
from bench.screen import progress, show_table
from bench.warmth import page, tables
from bench.warmth.engines.replay import STRATEGIES, Strategy, make_turns, replay
from bench.warmth.engines.results import EngineResults, EngineRow, row_of
from bench.warmth.engines.servers import ENGINES, FLAGS, Installed, installed, running_engines
from gateway.demo.traffic import Turn


def main() -> int:
    """Run the comparison of the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.warmth.engines")
    parser.add_argument("--calls", type=int, default=80, help="to each strategy")
    parser.add_argument("--write", type=Path, metavar="DOCS", help="write warmth.md there")
    arguments = parser.parse_args()
    engine, turns = installed(), make_turns(arguments.calls)
    with progress(len(STRATEGIES) * len(turns)) as step:
        rows = [_measure(engine, turns, strategy, step) for strategy in STRATEGIES]
    results = EngineResults(
        date=time.strftime("%Y-%m-%d"),
        machine=Machine.here(),
        versions=engine.versions,
        flags=FLAGS,
        engines=len(ENGINES),
        calls=len(turns),
        users=len({turn.user for turn in turns}),
        rows=rows,
    )
    show_table(*tables.engines(results.rows))
    if arguments.write:
        page.write(arguments.write, engines=results)
    return 0


def _measure(
    engine: Installed, turns: list[Turn], strategy: Strategy, step: Callable[[str], None]
) -> EngineRow:
    with running_engines(engine) as ports:
        answered = asyncio.run(replay(ports, turns, strategy, step))
    return row_of(strategy.name, strategy.does, answered)


if __name__ == "__main__":
    sys.exit(main())
