"""`python -m bench.soak`: load for an hour; exit 1 when memory grew, or a call failed."""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import msgspec

from bench.gateway import Gateway
from bench.processes import cores, first_line, running
from bench.screen import progress, show_table
from bench.soak import report
from bench.soak.load import Load
from bench.soak.memory import MIB, Journal
from bench.soak.report import Outcome

_STARTING = 10.0

Step = Callable[[str], None]


def main() -> int:
    """Run the load of the command line."""
    arguments = _arguments()
    with progress(_samples(arguments)) as step:
        outcome = asyncio.run(_run(arguments, step))
    show_table(report.COLUMNS, report.rows(outcome))
    show_table(("calls", ""), report.calls(outcome))
    if arguments.write:
        report.write(outcome, arguments.write)
    faults = outcome.faults(arguments.bound * MIB)
    for fault in faults:
        sys.stderr.write(f"{fault}\n")
    return int(bool(faults))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=300.0, help="calls a second")
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=float, default=10.0, help="seconds between two samples")
    parser.add_argument(
        "--bound", type=float, default=4.0, help="MiB a process may gain in the second half"
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="where the samples go")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="where logs and records are to stay"
    )
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table into it")
    return parser.parse_args()


def _samples(arguments: argparse.Namespace) -> int:
    minutes: float = arguments.minutes
    every: float = arguments.every
    return max(2, round(minutes * 60 / every))


async def _run(arguments: argparse.Namespace, step: Step) -> Outcome:
    async with AsyncExitStack() as stack:
        folder = arguments.keep or _passing_folder(stack)
        folder.mkdir(parents=True, exist_ok=True)
        provider = _provider(stack, folder / "provider.log")
        store = f"sqlite:{folder / 'hearth.db'}"
        gateway = Gateway(folder / "gateway", store, provider, arguments.workers)
        stack.callback(gateway.end)
        await gateway.start()
        samples = stack.enter_context((arguments.csv or folder / "memory.csv").open("w"))
        journal = Journal(gateway.pid, samples)
        load = Load(gateway.origin, arguments.rate, arguments.users, arguments.seed)
        await _watch(load, journal, arguments, step)
        await gateway.stop()
        return Outcome.of(_command(arguments), journal.samples, load)


def _passing_folder(stack: AsyncExitStack) -> Path:
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hearth-soak-")))


def _provider(stack: AsyncExitStack, log: Path) -> str:
    """The base URL of a mock provider that runs as long as `stack`."""
    command = [sys.executable, "-m", "bench.upstream", "--ports", "1"]
    stack.enter_context(running(command, cores()[1], log))
    [port] = msgspec.json.decode(first_line(log, _STARTING), type=list[int])
    return f"http://127.0.0.1:{port}/v1"


async def _watch(load: Load, journal: Journal, arguments: argparse.Namespace, step: Step) -> None:
    """Have the load run, and look at the memory again and again."""
    running_load = asyncio.create_task(load.run())
    began = time.monotonic()
    for number in range(1, _samples(arguments) + 1):
        await asyncio.sleep(max(0.0, began + number * arguments.every - time.monotonic()))
        sample = journal.take(time.monotonic() - began, load.calls)
        held = sum(sample.resident.values()) / MIB
        step(f"{load.calls:,} calls, {len(load.failures):,} failed, {held:.1f} MiB")
    running_load.cancel()
    with suppress(asyncio.CancelledError):
        await running_load


def _command(arguments: argparse.Namespace) -> str:
    return (
        f"python -m bench.soak --minutes {arguments.minutes:g} --rate {arguments.rate:g}"
        f" --users {arguments.users} --workers {arguments.workers} --seed {arguments.seed}"
    )


if __name__ == "__main__":
    sys.exit(main())
