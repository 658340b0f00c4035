"""The keeper: what is old is forgotten once an hour, whoever keeps."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from gateway.config import Retention
from gateway.generation import Generation
from gateway.ledger.keeper import Keeper
from gateway.ledger.queries import GenerationQuery
from gateway.ledger.shipper import Shipper
from gateway.ledger.sqlite import SqliteStore
from tests.generations import generation, records
from tests.waiting import eventually


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


def keeper(store: SqliteStore, folder: Path, expired_at: float) -> Keeper:
    """One that last forgot at `expired_at`."""
    return Keeper(Shipper(folder / "journal", store), Retention(), expired_at=expired_at)


async def test_what_is_old_is_forgotten(store: SqliteStore, tmp_path: Path) -> None:
    """At once by one that never did, which says when."""
    began = time.time()
    keeping = keeper(store, tmp_path, 0.0)
    keeping.start()
    await eventually(lambda: is_empty(store))
    await keeping.stop()
    assert began <= keeping.expired_at <= time.time()


async def test_who_follows_does_not_begin_anew(store: SqliteStore, tmp_path: Path) -> None:
    """One that takes over from another forgets when the hour is over, and not before."""
    early = keeper(store, tmp_path, time.time() - 3000)
    early.start()
    await asyncio.sleep(0.1)
    await early.stop()
    assert len(await left(store)) == 1
    due = keeper(store, tmp_path, time.time() - 3599.9)
    due.start()
    await eventually(lambda: is_empty(store))
    await due.stop()
