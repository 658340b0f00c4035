"""`hearth export-user`: everything kept of one end user, as JSON lines."""

import argparse
import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path

from gateway.commands.arguments import Commands, add_output, read_config
from gateway.commands.output import counting_rows, json_lines, open_output, tell
from gateway.commands.person import add_person, person
from gateway.commands.shipper import open_shipper
from gateway.config import Config
from gateway.ledger.fallback import ping
from gateway.ledger.person.dossier import DossierEntry, dossier, generation_entry, journaled
from gateway.ledger.person.traces import Person
from gateway.ledger.shipper import Shipper
from gateway.ledger.store import Store, StoreUnavailable


def add_to(commands: Commands) -> None:
    """Register the command."""
    parser = commands.add_parser("export-user", help="write everything kept of an end user")
    add_person(parser)
    add_output(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the entries; 1 when the store is away and only the journal's could be written."""
    return asyncio.run(_export(read_config(arguments), person(arguments), arguments.output))


async def _export(config: Config, who: Person, path: Path | None) -> int:
    written = 0
    async with open_shipper(config.ledger) as shipper:
        away = await _reason_away(shipper.store)
        pages = _journal_alone(shipper, who) if away else _all(shipper, who)
        with open_output(path) as out, counting_rows() as count:
            async for entries in pages:
                out.write(json_lines(entries))
                count(len(entries))
                written += len(entries)
    if away:
        tell(f"hearth: NOT COMPLETE, only what the journal has: {away}")
    elif not written:
        tell(f"hearth: nothing is kept of {who.user}")
    return 1 if away else 0


async def _reason_away(store: Store) -> str | None:
    try:
        await ping(store)
    except StoreUnavailable as error:
        return str(error)
    return None


async def _all(shipper: Shipper, who: Person) -> AsyncIterator[Sequence[DossierEntry]]:
    with suppress(StoreUnavailable):  # then the journal's entries come out of the journal
        await shipper.flush()
    async for entries in dossier(shipper.store, shipper.folder, who):
        yield entries


async def _journal_alone(shipper: Shipper, who: Person) -> AsyncIterator[Sequence[DossierEntry]]:
    yield [generation_entry(row) for row in await journaled(shipper.folder, who)]
