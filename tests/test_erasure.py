"""Erasing one end user beside writers and shippers that never stop."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.ledger.journal import Journal
from gateway.ledger.named import named
from gateway.ledger.person.dossier import dossier
from gateway.ledger.person.erasure import erase
from gateway.ledger.person.holdings import Holding, holdings
from gateway.ledger.person.traces import Person
from gateway.ledger.queries import GenerationQuery
from gateway.ledger.shipper import Pace, Shipper
from gateway.ledger.sqlite import SqliteStore
from gateway.ledger.store import StoreUnavailable
from gateway.ledger.verify import verify
from tests.parts.generations import DAY, generation, records
from tests.parts.waiting import PATIENCE

ANNA = Person("anna", None)
QUICK = Pace(gather=0.001, idle=0.01)


class Leaving(SqliteStore):
    """A store that can go away."""

    away = False

    async def erase(self, tenant: str, user: str) -> int:
        if self.away:
            raise StoreUnavailable("out to lunch")
        return await super().erase(tenant, user)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Leaving]:
    opened = await Leaving.open(tmp_path / "hearth.db")
    yield opened
    await opened.close()


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal", segment_size=2000)


async def kept(store: SqliteStore, journal: Journal) -> list[Holding]:
    return list(await holdings(store, journal.folder, ANNA))


async def test_while_calls_come_and_are_shipped(store: Leaving, journal: Journal) -> None:
    """Again and again, with a background that ships: in the end nothing is left, and sums agree."""
    shipper, erasing = Shipper(journal.folder, store, QUICK), Shipper(journal.folder, store)
    shipper.start()
    for number in range(1, 301):
        journal.append(generation(number, user=("anna", "boris")[number % 2]))
        shipper.notify()
        if number % 30 == 0:
            assert (await erase(erasing, ANNA, ["app"])).error is None
            assert await kept(store, journal) == []
        await asyncio.sleep(0)
    journal.close()
    await shipper.finish(PATIENCE)
    verdict = await verify(store)
    assert (verdict.requests, verdict.drift) == (300, ())
    rows = await store.generations(GenerationQuery(limit=1000))
    assert {row.user for row in rows} <= {"boris", None}
    assert sum(row.user == "boris" for row in rows) == 150
    assert (await shipper.lag()).corrupt == 0


async def test_store_that_goes_away(store: Leaving, journal: Journal) -> None:
    """The journal forgets at once; the error says why the store does not; repeated, it is done."""
    shipper = Shipper(journal.folder, store)
    journal.append(generation(1, user="anna"))
    await shipper.flush()
    store.away = True
    erasure = await erase(shipper, ANNA, [])
    assert (erasure.lines, erasure.generations) == (1, {})
    assert "out to lunch" in (erasure.error or "")
    store.away = False
    erasure = await erase(shipper, ANNA, [])
    assert (erasure.lines, erasure.generations, erasure.error) == (0, {"app": 1}, None)


async def test_every_tenant_is_met(store: Leaving, journal: Journal) -> None:
    """Those the configuration knows, those in the store, and those in the journal alone."""
    shipper = Shipper(journal.folder, store)
    journal.append(generation(1, user="anna", tenant="stored"))
    await shipper.flush()
    journal.append(generation(2, user="anna", tenant="waiting"))
    assert [(each.tenant, each.requests, each.lines) for each in await kept(store, journal)] == [
        ("stored", 1, 1),
        ("waiting", 0, 1),
    ]
    erasure = await erase(shipper, ANNA, ["known"])
    assert erasure.generations == {"known": 0, "stored": 1, "waiting": 1}
    assert await kept(store, journal) == []


async def test_every_tenant_of_very_many_calls(store: Leaving, journal: Journal) -> None:
    """One whose daily rows are forgotten is met by its generations, be they older than all those of
    another tenant."""
    calls = [generation(number, user="anna") for number in range(1, 502)]
    await store.apply(records(generation(0, user="anna", tenant="gone"), *calls))
    await store.expire(0, DAY + 1)
    assert [each.tenant for each in await kept(store, journal)] == ["app", "gone"]


async def test_dossier_of_every_tenant(store: Leaving, journal: Journal) -> None:
    """However many keys a person came with, what each summed up to is there."""
    tenants = [f"key-{number:03}" for number in range(101)]
    await store.apply(records(*(generation(1, id=t, user="anna", tenant=t) for t in tenants)))
    first = await anext(dossier(store, journal.folder, ANNA))
    assert [entry.record.tenant for entry in first] == tenants


async def test_dossier_has_what_the_store_lacks(store: Leaving, journal: Journal) -> None:
    """Calls that are still in the journal come last, and those that are in both come once."""
    settled = [generation(number, user="anna") for number in (1, 2)]
    journal.append(settled[0])
    await Shipper(journal.folder, store).flush()
    journal.append(settled[1])
    pages = [page async for page in dossier(store, journal.folder, ANNA)]
    entries = [entry for page in pages for entry in page]
    assert [entry.kind for entry in entries] == ["user", "day", "generation", "generation"]
    assert [entry.record for entry in entries[2:]] == [named(each) for each in settled]


async def test_no_journal(store: Leaving, tmp_path: Path) -> None:
    """Where this machine never recorded anything, the store is asked all the same."""
    erasure = await erase(Shipper(tmp_path / "new" / "journal", store), ANNA, ["app"])
    assert (erasure.lines, erasure.generations, erasure.error) == (0, {"app": 0}, None)
