"""Whether all ways to count a ledger agree, and what is said where they do not."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.calendar import HOUR
from gateway.ledger.counts import Counts
from gateway.ledger.sqlite import SqliteStore
from gateway.ledger.verify import verify
from tests.parts.generations import DAY, MICROSECONDS, generation, records, refusal


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """An empty store."""
    opened = await SqliteStore.open(tmp_path / "hearth.db")
    yield opened
    await opened.close()


def tamper(store: SqliteStore, statement: str) -> None:
    """Change its file behind its back."""
    with closing(sqlite3.connect(store.name)) as db, db:
        db.execute(statement)


async def test_agreement(store: SqliteStore) -> None:
    """Sums by user, by provider and over single generations agree, day by day."""
    before = generation(4, day=DAY - 1)
    await store.apply(records(generation(1), generation(2, user=None), refusal(3), before))
    verdict = await verify(store)
    assert (verdict.days, verdict.requests, verdict.drift) == (2, 4, ())


@pytest.mark.parametrize(
    ("table", "by_user", "by_provider", "by_generation"),
    [("activity", 3, 2, 2), ("totals", 2, 3, 2)],
)
async def test_drift_is_found(
    store: SqliteStore, table: str, by_user: int, by_provider: int, by_generation: int
) -> None:
    """A count that was changed shows, with its day and all three sums."""
    await store.apply(records(generation(1), generation(2)))
    tamper(store, f"UPDATE {table} SET requests = requests + 1")
    (drift,) = (await verify(store)).drift
    assert drift.day == DAY
    assert drift.by_generation
    assert (drift.by_user.requests, drift.by_provider.requests) == (by_user, by_provider)
    assert drift.by_generation.requests == by_generation


async def test_lost_row_is_found(store: SqliteStore) -> None:
    """A generation that is gone before its time shows, though both tables agree."""
    await store.apply(records(generation(1)))
    tamper(store, "DELETE FROM generations")
    (drift,) = (await verify(store)).drift
    assert (drift.by_user.requests, drift.by_generation) == (1, Counts())


async def test_expired_days_are_not_drift(store: SqliteStore) -> None:
    """Days that lost generations to the retention are compared without them."""
    days = (DAY - 31, DAY - 30, DAY - 29, DAY)
    await store.apply(records(*(generation(1, day=day) for day in days)))
    await store.expire((DAY - 30) * MICROSECONDS + HOUR, 0)
    verdict = await verify(store)
    assert (verdict.days, verdict.requests, verdict.drift) == (4, 4, ())
    assert verdict.compared_from == DAY - 29


async def test_day_that_is_being_forgotten(store: SqliteStore) -> None:
    """A day past its retention is no drift, however much of it is gone yet."""
    await store.expire(0, DAY + 1)
    await store.apply(records(generation(1), generation(1, day=DAY + 1)))
    tamper(store, f"DELETE FROM activity WHERE day = {DAY}")
    verdict = await verify(store)
    assert (verdict.drift, verdict.requests) == ((), 1)
