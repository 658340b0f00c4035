"""The ledger as the proxy and the API use it: recorded is readable, and never in the way."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway import config
from gateway.ledger.journal import Journal, JournalError
from gateway.ledger.ledger import Ledger
from gateway.ledger.lock import exclusive
from gateway.ledger.opening import open_store
from gateway.ledger.queries import GenerationQuery
from gateway.ledger.store import StoreUnavailable
from tests.parts.asking import shipped
from tests.parts.generations import DAY, generation
from tests.parts.waiting import PATIENCE

NOW = DAY * 86400 + 3600.0


@pytest.fixture
def section(tmp_path: Path) -> config.Ledger:
    """The part of the configuration, with everything in one folder."""
    return config.Ledger(url=f"sqlite:{tmp_path}/hearth.db", journal=f"{tmp_path}/journal/")


@pytest.fixture
async def ledger(section: config.Ledger) -> AsyncIterator[Ledger]:
    """A ledger at work, an hour into `DAY`."""
    store = await open_store(section.url, section.retention)
    opened = Ledger(Journal(Path(section.journal)), store, section.retention, clock=lambda: NOW)
    opened.start()
    yield opened
    await opened.finish(1)


async def test_recorded_is_readable(ledger: Ledger) -> None:
    """What was recorded before a read is in it, without waiting for anything but a slow disk."""
    for number in range(1, 4):
        ledger.recorder.record(generation(number))
        store = await shipped(ledger)
        assert len(await store.generations(GenerationQuery())) == number


async def test_opened_as_configured(section: config.Ledger, tmp_path: Path) -> None:
    """The section names the file and the folder; stopping leaves the journal empty."""
    ledger = await Ledger.open(section)
    ledger.start()
    ledger.recorder.record(generation(1))
    await ledger.finish(PATIENCE)
    assert list((tmp_path / "journal").glob("*.jsonl")) == []
    again = await Ledger.open(section)
    assert len(await (await shipped(again)).generations(GenerationQuery())) == 1
    await again.finish(5)


async def test_journal_that_cannot_be(section: config.Ledger, tmp_path: Path) -> None:
    """A journal folder that cannot be made fails the start."""
    (tmp_path / "journal").write_text("")
    with pytest.raises(JournalError):
        await Ledger.open(section)


async def test_unknown_store() -> None:
    """A URL of no known kind is refused by name."""
    with pytest.raises(StoreUnavailable, match="mysql"):
        await open_store("mysql:hearth", config.Retention())


async def test_store_that_takes_nothing(ledger: Ledger, tmp_path: Path) -> None:
    """Reads go on from a store that is behind, and the lag says that it is and why."""
    ledger.recorder.record(generation(1))
    await shipped(ledger)
    refuse = "BEFORE INSERT ON generations BEGIN SELECT RAISE(ABORT, 'read-only'); END"
    with sqlite3.connect(tmp_path / "hearth.db") as db:
        db.execute(f"CREATE TRIGGER broken {refuse}")
    ledger.recorder.record(generation(2))
    store = await ledger.fresh()
    assert len(await store.generations(GenerationQuery())) == 1
    lag = await ledger.lag()
    assert lag.waiting > 0
    assert "read-only" in (lag.error or "")
    db.execute("DROP TRIGGER broken")
    db.close()
    await shipped(ledger)
    assert (await ledger.lag()).error is None


async def test_retention_waits(
    section: config.Ledger, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """When the store cannot forget just now, that is reported and ends nothing."""
    store = await open_store(section.url, section.retention)
    refuse = "BEFORE UPDATE ON retention BEGIN SELECT RAISE(ABORT, 'disk full'); END"
    with sqlite3.connect(tmp_path / "hearth.db") as db:
        db.execute(f"CREATE TRIGGER full {refuse}")
    db.close()
    ledger = Ledger(Journal(Path(section.journal)), store, section.retention)
    ledger.start()
    async with asyncio.timeout(PATIENCE):
        while "retention waits for the store" not in caplog.text:
            await ledger.fresh()
    ledger.recorder.record(generation(1))
    assert len(await (await shipped(ledger)).generations(GenerationQuery())) == 1
    await ledger.finish(1)


async def test_closed_while_another_process_ships(section: config.Ledger) -> None:
    """Nothing goes on that waits for its turn at the journals: it would ask a closed store."""
    others = asyncio.all_tasks()
    ledger = await Ledger.open(section)
    ledger.recorder.record(generation(1))
    async with exclusive(Path(section.journal)):
        await ledger.fresh()
        await ledger.close()
        assert asyncio.all_tasks() == others
