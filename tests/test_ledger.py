"""The ledger as the proxy and the API use it: recorded is readable, and never in the way."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway import config
from gateway.ledger.counts import Counts
from gateway.ledger.journal import Journal, JournalError
from gateway.ledger.ledger import Ledger
from gateway.ledger.queries import GenerationQuery
from gateway.ledger.store import StoreUnavailable
from gateway.ledger.stores import open_store
from gateway.units import Duration
from tests.generations import DAY, MICROSECONDS, generation, refusal
from tests.waiting import PATIENCE

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
    await opened.stop(1)


async def test_recorded_is_readable(ledger: Ledger) -> None:
    """What was recorded before a read is in it, without waiting for anything."""
    for number in range(1, 4):
        ledger.recorder.record(generation(number))
        store = await ledger.fresh()
        assert len(await store.generations(GenerationQuery())) == number


async def test_opened_as_configured(section: config.Ledger, tmp_path: Path) -> None:
    """The section names the file and the folder; stopping leaves the journal empty."""
    ledger = await Ledger.open(section)
    ledger.start()
    ledger.recorder.record(generation(1))
    await ledger.stop(5)
    assert list((tmp_path / "journal").glob("*.jsonl")) == []
    again = await Ledger.open(section)
    assert len(await (await again.fresh()).generations(GenerationQuery())) == 1
    await again.stop(5)


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
    await ledger.fresh()
    refuse = "BEFORE INSERT ON generations BEGIN SELECT RAISE(ABORT, 'read-only'); END"
    with sqlite3.connect(tmp_path / "hearth.db") as db:
        db.execute(f"CREATE TRIGGER broken {refuse}")
    ledger.recorder.record(generation(2))
    store = await ledger.fresh()
    assert len(await store.generations(GenerationQuery())) == 1
    lag = await ledger.lag()
    assert lag.waiting > 0
    assert "read-only" in (lag.error or "")
    with pytest.raises(StoreUnavailable, match="read-only"):
        await ledger.verify()
    db.execute("DROP TRIGGER broken")
    db.close()
    await ledger.fresh()
    assert (await ledger.lag()).error is None


async def test_verified(ledger: Ledger) -> None:
    """Sums by user, by provider and over single generations agree, day by day."""
    for settled in (
        generation(1),
        generation(2, user=None),
        refusal(3),
        generation(4, day=DAY - 1),
    ):
        ledger.recorder.record(settled)
    verdict = await ledger.verify()
    assert (verdict.days, verdict.requests, verdict.drift) == (2, 4, ())


@pytest.mark.parametrize(
    ("table", "by_user", "by_provider", "by_generation"),
    [("activity", 3, 2, 2), ("totals", 2, 3, 2)],
)
async def test_drift_is_found(
    ledger: Ledger,
    tmp_path: Path,
    table: str,
    by_user: int,
    by_provider: int,
    by_generation: int,
) -> None:
    """A count that was changed behind the ledger's back shows, with its day and all three sums."""
    ledger.recorder.record(generation(1))
    ledger.recorder.record(generation(2))
    await ledger.fresh()
    with sqlite3.connect(tmp_path / "hearth.db") as db:
        db.execute(f"UPDATE {table} SET requests = requests + 1")
    db.close()
    (drift,) = (await ledger.verify()).drift
    assert drift.day == DAY
    assert drift.by_generation
    assert (drift.by_user.requests, drift.by_provider.requests) == (by_user, by_provider)
    assert drift.by_generation.requests == by_generation


async def test_lost_row_is_found(ledger: Ledger, tmp_path: Path) -> None:
    """A generation that is gone before its time shows, though both tables agree."""
    ledger.recorder.record(generation(1))
    await ledger.fresh()
    with sqlite3.connect(tmp_path / "hearth.db") as db:
        db.execute("DELETE FROM generations")
    db.close()
    (drift,) = (await ledger.verify()).drift
    assert (drift.by_user.requests, drift.by_generation) == (1, Counts())


async def test_expired_days_are_not_drift(ledger: Ledger) -> None:
    """Days that lost generations to the retention are compared without them."""
    for day in (DAY - 31, DAY - 30, DAY - 29, DAY):
        ledger.recorder.record(generation(1, day=day))
    await ledger.fresh()
    await ledger.expire()
    verdict = await ledger.verify()
    assert (verdict.days, verdict.requests, verdict.drift) == (4, 4, ())
    assert verdict.compared_from == DAY - 29


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
    assert len(await (await ledger.fresh()).generations(GenerationQuery())) == 1
    await ledger.stop(1)


async def test_retention(section: config.Ledger) -> None:
    """Generations and daily rows are each forgotten after their own time, from the start on."""
    retention = config.Retention(generations=Duration(86400), activity=Duration(3 * 86400))
    store = await open_store(section.url, section.retention)
    ledger = Ledger(Journal(Path(section.journal)), store, retention, clock=lambda: NOW)
    for day in (DAY - 4, DAY - 2, DAY):
        ledger.recorder.record(generation(1, day=day, created_at=day * MICROSECONDS))
    await ledger.fresh()
    await ledger.expire()
    assert [each.day for each in await store.generations(GenerationQuery())] == [DAY]
    assert sorted((await store.recount()).by_user) == [DAY - 2, DAY]
    await ledger.stop(1)
