"""`python -m bench.faults`: harm, count, compare; exit 1 when anything is missing or double."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from bench.faults import report
from bench.faults.report import Outcome
from bench.faults.scenarios import SCENARIOS, Scenario
from bench.faults.stand import Setting, running_stand
from bench.screen import progress, show_table

Step = Callable[[str], None]


def main() -> int:
    """Run the scenarios of the command line."""
    arguments = _arguments()
    chosen = [each for each in SCENARIOS if arguments.only in (None, each.name)]
    setting = Setting(
        gateways=arguments.gateways,
        workers=arguments.workers,
        clients=arguments.clients,
        rate=arguments.rate,
        seconds=arguments.seconds,
        seed=arguments.seed,
    )
    with progress(len(chosen)) as step:
        outcomes = asyncio.run(_run_all(chosen, setting, step))
    show_table(report.COLUMNS, report.rows(outcomes))
    if arguments.write:
        report.write(outcomes, setting, arguments.write)
    return int(any(each.balance.missing or each.balance.double for each in outcomes))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each scenario")
    parser.add_argument("--rate", type=float, default=200.0, help="calls a second")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--gateways", type=int, default=2)
    parser.add_argument("--workers", type=int, default=1, help="processes of each gateway")
    parser.add_argument("--seed", type=int, default=1, help="of moments and victims")
    parser.add_argument("--only", choices=[each.name for each in SCENARIOS])
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table into it")
    return parser.parse_args()


async def _run_all(chosen: Sequence[Scenario], setting: Setting, step: Step) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for number, scenario in enumerate(chosen):
        step(scenario.name)
        seeded = msgspec.structs.replace(setting, seed=setting.seed + number)
        outcomes.append(await _run(scenario, seeded))
    return outcomes


async def _run(scenario: Scenario, setting: Setting) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="hearth-faults-") as folder:
        async with running_stand(Path(folder), setting) as stand:
            await scenario.run(stand)
            balance = await stand.balance()
            return Outcome.of(scenario.name, balance, stand.load)


if __name__ == "__main__":
    sys.exit(main())
