"""A process to be killed: `append FOLDER` journals without end, `ship FOLDER` ships as well.

It prints the id of each generation once the journal has it: what a client may have been told.
"""

import asyncio
import itertools
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from gateway.ledger.journal import Journal
from gateway.ledger.shipper import Shipper
from gateway.ledger.sqlite import SqliteStore
from tests.parts.generations import generation


def append(folder: Path) -> Iterator[str]:
    """Journal one more generation for each id that is taken."""
    journal = Journal(folder / "journal", segment_size=20_000)
    for number in itertools.count():
        settled = generation(number, id=f"gen-{journal.writer}-{number}", user=f"u{number % 9}")
        journal.append(settled)
        yield settled.id


def tell(generation_id: str) -> None:
    """Print an id, in one write."""
    os.write(sys.stdout.fileno(), f"{generation_id}\n".encode())


async def ship(folder: Path) -> None:
    """Journal some, ship them, and again."""
    shipper = Shipper(folder / "journal", await SqliteStore.open(folder / "hearth.db"))
    appended = append(folder)
    while True:
        for generation_id in itertools.islice(appended, 40):
            tell(generation_id)
        await shipper.flush()


if __name__ == "__main__":
    if sys.argv[1] == "ship":
        asyncio.run(ship(Path(sys.argv[2])))
    for told in append(Path(sys.argv[2])):
        tell(told)
