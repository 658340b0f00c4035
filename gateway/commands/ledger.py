"""`hearth ledger status` and `verify`: how far behind the store is, and whether it is right."""

import asyncio

from gateway.calendar import day_text
from gateway.commands.arguments import Commands, add_config, read_config
from gateway.commands.output import console
from gateway.commands.shipper import open_shipper
from gateway.config import Config
from gateway.ledger.counts import COUNTERS
from gateway.ledger.losses import read_losses
from gateway.ledger.segment import set_aside
from gateway.ledger.verify import Drift, verify
from gateway.units import counted


def add_to(commands: Commands) -> None:
    """Register the commands."""
    parser = commands.add_parser("ledger", help="what waits in the ledger, and whether it is right")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    status = actions.add_parser("status", help="what waits in the journal")
    add_config(status)
    status.set_defaults(run=lambda arguments: asyncio.run(_status(read_config(arguments))))
    check = actions.add_parser("verify", help="recount everything; exit 1 on drift")
    add_config(check)
    check.set_defaults(run=lambda arguments: asyncio.run(_verify(read_config(arguments))))


async def _status(config: Config) -> int:
    """1 when the store cannot be reached."""
    async with open_shipper(config.ledger) as shipper:
        lag = await shipper.lag()
        lost = await asyncio.to_thread(read_losses, shipper.folder)
        aside = await asyncio.to_thread(set_aside, shipper.folder)
    out = console()
    out.print(f"waiting in {config.ledger.journal}: {lag.waiting} bytes")
    out.print(f"oldest record waiting: {lag.oldest:.1f} s")
    if lost:
        out.print(f"records that could not be written and are lost: {lost}")
    if lag.corrupt:
        out.print(f"corrupt lines skipped: {lag.corrupt}")
    for path in aside:
        out.print(f"set aside for its corrupt lines: {path}")
    if lag.error:
        out.print(f"store: {lag.error}")
    return 1 if lag.error else 0


async def _verify(config: Config) -> int:
    """Ship what waits, then recount; 1 on drift."""
    async with open_shipper(config.ledger) as shipper:
        await shipper.flush()
        verdict = await verify(shipper.store)
    out = console()
    for drift in verdict.drift:
        _print_drift(drift)
    agree = "differ" if verdict.drift else "agree"
    requests, days = counted(verdict.requests, "request"), counted(verdict.days, "day")
    out.print(f"{requests} on {days}: sums {agree}")
    if verdict.compared_from > 0:
        out.print(f"single generations compared from {day_text(verdict.compared_from)} on")
    return 1 if verdict.drift else 0


def _print_drift(drift: Drift) -> None:
    """A line for each counter that the ways to count disagree on; costs are nano-dollars."""
    ways = {"users": drift.by_user, "providers": drift.by_provider}
    if drift.by_generation is not None:
        ways["generations"] = drift.by_generation
    for counter in COUNTERS:
        sums = {way: getattr(counts, counter) for way, counts in ways.items()}
        if len({*sums.values()}) > 1:
            told = ", ".join(f"{way} {number}" for way, number in sums.items())
            console().print(f"{day_text(drift.day)} {counter}: {told}")
