"""What is read while the store lags, hangs or is gone."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from functools import partial
from pathlib import Path

import pytest

from gateway.generation import Generation
from gateway.ledger.fallback import find_recorded, ping
from gateway.ledger.journal import Journal
from gateway.ledger.shipper import Shipper
from gateway.ledger.sqlite import SqliteStore
from gateway.ledger.store import StoreUnavailable
from tests.parts.generations import generation


class Silent(SqliteStore):
    """A store that may hang for ever."""

    hangs = False

    async def positions(self, writers: Collection[str]) -> Mapping[str, int]:
        if self.hangs:
            await asyncio.Event().wait()
        return await super().positions(writers)

    async def generation(
        self, generation_id: str, tenants: frozenset[str] | None
    ) -> Generation | None:
        if self.hangs:
            await asyncio.Event().wait()
        return await super().generation(generation_id, tenants)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Silent]:
    opened = await Silent.open(tmp_path / "hearth.db")
    yield opened
    opened.hangs = False
    await opened.close()


async def test_a_store_that_hangs(store: Silent) -> None:
    """It is given up soon, by name."""
    await ping(store)
    store.hangs = True
    with pytest.raises(StoreUnavailable, match=rf"{store.name}: no answer within 0\.1 s"):
        await ping(store, within=0.1)


async def test_wherever_it_is(store: Silent, tmp_path: Path) -> None:
    """In the journal, in both, in the store alone: it is the same record."""
    journal = Journal(tmp_path / "journal")
    settled = generation(1)
    journal.append(settled)
    assert await find_recorded(store, journal.folder, settled.id, None) == settled
    journal.close()
    await Shipper(journal.folder, store).flush()
    assert list(journal.folder.glob("*.jsonl")) == []
    assert await find_recorded(store, journal.folder, settled.id, None) == settled
    assert await find_recorded(store, journal.folder, "gen-none", None) is None


async def test_shipped_while_it_is_looked_for(store: Silent, tmp_path: Path) -> None:
    """A record that leaves the journal between two looks is not missed."""
    folder = tmp_path / "journal"
    journal = Journal(folder)
    settled = generation(1)
    journal.append(settled)
    journal.close()

    class Late(Silent):
        async def generation(
            self, generation_id: str, tenants: frozenset[str] | None
        ) -> Generation | None:
            found = await super().generation(generation_id, tenants)
            await Shipper(folder, store).flush()
            return found

    late = await Late.open(tmp_path / "hearth.db")
    assert await find_recorded(late, folder, settled.id, None) == settled
    await late.close()


async def test_only_the_store_could_tell(store: Silent, tmp_path: Path) -> None:
    """Without it the journals' answer counts, and an id they lack, or cannot be searched for in
    time, is no 404."""
    journal = Journal(tmp_path / "journal")
    journal.append(generation(1))
    store.hangs = True
    soon = partial(find_recorded, store, journal.folder, tenants=None, within=0.1)
    assert await soon(generation(1).id) == generation(1)
    with pytest.raises(StoreUnavailable, match="no answer"):
        await soon("gen-none")
    with pytest.raises(StoreUnavailable, match="far behind"):
        await soon("gen-none", search_within=0.0)
