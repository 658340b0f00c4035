"""The keeper: what is old is forgotten once an hour, whoever keeps; what is new is noticed."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from gateway.config import Retention
from gateway.generation import Generation
from gateway.ledger.keeper import Expiry, Keeper, watch_journals
from gateway.ledger.queries import GenerationQuery
from gateway.ledger.shipper import Shipper
from gateway.ledger.sqlite import SqliteStore
from gateway.units import Duration
from tests.parts.generations import DAY, MICROSECONDS, generation, records
from tests.parts.waiting import PATIENCE, eventually, until


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """One that holds a generation of years ago."""
    opened = await SqliteStore.open(tmp_path / "hearth.db")
    await opened.apply(records(generation(1)))
    yield opened
    await opened.close()


async def left(store: SqliteStore) -> Sequence[Generation]:
    """What the store holds."""
    return await store.generations(GenerationQuery())


async def is_empty(store: SqliteStore) -> bool:
    """Whether nothing is left."""
    return not await left(store)


def keeper(
    store: SqliteStore, folder: Path, last_expiry: Expiry | None, expire_every: float = 3600
) -> Keeper:
    """One that last forgot then, by default as seldom as in production."""
    shipper = Shipper(folder / "journal", store)
    return Keeper(shipper, Retention(), last_expiry=last_expiry, expire_every=expire_every)


def ago(seconds: float, ahead: float = 0.0) -> Expiry:
    """So long ago, by a clock that was so many seconds ahead of today's."""
    return Expiry(time.time() - seconds + ahead, time.monotonic() - seconds)


async def test_what_is_old_is_forgotten(store: SqliteStore, tmp_path: Path) -> None:
    """At once by one that never did, which says when."""
    began = time.time()
    keeping = keeper(store, tmp_path, None)
    keeping.start()
    await eventually(lambda: is_empty(store))
    await keeping.stop()
    assert keeping.last_expiry
    assert began <= keeping.last_expiry.at <= time.time()


async def test_a_clock_that_is_set_back(store: SqliteStore, tmp_path: Path) -> None:
    """Who last forgot in what is now the future, forgets after the usual wait all the same."""
    keeping = keeper(store, tmp_path, ago(3599.9, ahead=86_400))
    keeping.start()
    await eventually(lambda: is_empty(store))
    await keeping.stop()


async def test_a_clock_that_leaps_ahead(
    store: SqliteStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What it makes old is forgotten only if it says so the next time as well."""
    doubting = keeper(store, tmp_path, ago(3599.9, ahead=-2 * 86_400))
    doubting.start()
    await until(lambda: "the clock leapt 48 hours ahead" in caplog.text)
    await doubting.stop()
    assert len(await left(store)) == 1
    assert doubting.last_expiry
    an_hour_ago = Expiry(*(moment - 3600 for moment in doubting.last_expiry))
    keeping = keeper(store, tmp_path, an_hour_ago)
    keeping.start()
    await eventually(lambda: is_empty(store))
    await keeping.stop()


class Faulty(SqliteStore):
    """A store whose first expiry fails as nobody expects."""

    async def expire(self, generations_before: int, activity_before: int) -> None:
        if not hasattr(self, "failed"):
            self.failed = True
            raise ValueError("a mistake")
        await super().expire(generations_before, activity_before)


async def test_a_failure_is_not_the_last_try(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever it was, the log tells it, and the next time what is old is forgotten."""
    store = await Faulty.open(tmp_path / "hearth.db")
    await store.apply(records(generation(1)))
    keeping = keeper(store, tmp_path, None, expire_every=0.1)
    keeping.start()
    await eventually(lambda: is_empty(store))
    await keeping.stop()
    await store.close()
    assert "a mistake" in caplog.text


async def test_watching_outlasts_a_failure(tmp_path: Path) -> None:
    """A folder that cannot be read for a while is watched again, or records would be shipped late
    from then on."""
    folder, notified = tmp_path / "journal", asyncio.Event()
    folder.touch()
    watching = asyncio.create_task(watch_journals(folder, notified.set))
    await asyncio.sleep(0)
    folder.unlink()
    folder.mkdir()
    (folder / "w-000000000001.jsonl").write_text("a line\n")
    await asyncio.wait_for(notified.wait(), PATIENCE)
    watching.cancel()


async def test_each_after_its_own_time(tmp_path: Path) -> None:
    """Generations and daily rows are each forgotten after as long as they are kept."""
    retention = Retention(generations=Duration(86_400), activity=Duration(3 * 86_400))
    store = await SqliteStore.open(tmp_path / "hearth.db")
    days = (DAY - 4, DAY - 2, DAY)
    calls = [generation(1, day=day, created_at=day * MICROSECONDS) for day in days]
    await store.apply(records(*calls))
    shipper = Shipper(tmp_path / "journal", store)
    await Keeper(shipper, retention, clock=lambda: DAY * 86_400 + 3_600.0).expire()
    assert [each.day for each in await left(store)] == [DAY]
    assert sorted((await store.recount()).by_user) == [DAY - 2, DAY]
    await store.close()


async def test_who_follows_does_not_begin_anew(store: SqliteStore, tmp_path: Path) -> None:
    """One that takes over from another forgets when the hour is over, and not before."""
    earlier = ago(3000)
    early = keeper(store, tmp_path / "early", earlier)
    due = keeper(store, tmp_path / "due", ago(3599.9))
    for keeping in (early, due):
        keeping.start()
    await eventually(lambda: is_empty(store))
    assert early.last_expiry == earlier
    for keeping in (early, due):
        await keeping.stop()
