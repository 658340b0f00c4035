"""`hearth erase-user`: forget one end user, in the store and in the journals."""

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path

from gateway.commands.arguments import Commands, read_config
from gateway.commands.output import console
from gateway.commands.person import add_person, configured_keys, person
from gateway.commands.shipper import open_shipper
from gateway.config import Config
from gateway.ledger.fallback import ping
from gateway.ledger.person.erasure import Erasure, erase
from gateway.ledger.person.holdings import Holding, holdings, lines_by_tenant
from gateway.ledger.person.traces import Person
from gateway.ledger.shipper import Shipper
from gateway.ledger.store import StoreUnavailable
from gateway.units import counted


def add_to(commands: Commands) -> None:
    """Register the command."""
    parser = commands.add_parser("erase-user", help="erase everything kept of an end user")
    add_person(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 when nothing is left of the user on this machine and in the store."""
    return asyncio.run(_run(read_config(arguments), person(arguments), arguments.yes))


async def _run(config: Config, who: Person, sure: bool) -> int:
    async with open_shipper(config.ledger) as shipper:
        kept = await _kept(shipper, who)
        for line in kept or [f"Nothing is kept of {who.user}."]:
            console().print(line)
        if not sure and not kept:
            return 0
        if not sure and not _is_sure():
            console().print("Nothing was erased.")
            return 1
        erasure = await erase(shipper, who, configured_keys(config))
    return _report(erasure, shipper.folder)


async def _kept(shipper: Shipper, who: Person) -> Sequence[str]:
    """What erasing would take, key by key; as far as is known where the store is away."""
    try:
        await ping(shipper.store)
        held = await holdings(shipper.store, shipper.folder, who)
    except StoreUnavailable as error:
        lines = sum((await lines_by_tenant(shipper.folder, who)).values())
        return [error.message, f"The journal has {counted(lines, 'record')} of {who.user}."]
    return [_holding(each, who.user) for each in held]


def _holding(held: Holding, user: str) -> str:
    return (
        f"{user} of key {held.tenant}: {counted(held.requests, 'request')} in the store, "
        f"{counted(held.lines, 'record')} in the journal"
    )


def _is_sure() -> bool:
    """What is not `y` or `yes`, or the end of the input, is no."""
    try:
        answer = console().input(
            "Erase all of it? Sums of days stay, without the user. [y/N] ", markup=False
        )
    except EOFError:
        console().print()
        return False
    return answer.strip().lower() in ("y", "yes")


def _report(erasure: Erasure, journal: Path) -> int:
    generations = sum(erasure.generations.values())
    out = console()
    out.print(
        f"Erased {counted(generations, 'generation')} in the store "
        f"and {counted(erasure.lines, 'record')} in {journal}"
    )
    if erasure.error is None:
        return 0
    out.print(f"NOT COMPLETE: the store still has what it had: {erasure.error}")
    out.print("Repeat the same command when the store is back.")
    return 1
