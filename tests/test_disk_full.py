"""A disk that is full: requests go on, what is lost is counted and said once."""

import itertools
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.ledger.journal import Journal, JournalError
from gateway.ledger.losses import read_losses
from gateway.ledger.queries import GenerationQuery
from gateway.ledger.shipper import Shipper
from gateway.ledger.sqlite import SqliteStore
from tests.parts.calls import CHAT, COMPLETION, Requests, at, whole
from tests.parts.commands import hearth
from tests.parts.gateways import RunningGateway, Wire, running_gateway
from tests.parts.generations import generation, records
from tests.parts.raw_client import connected, post
from tests.parts.raw_provider import serving
from tests.parts.recorded import generations


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder)
    if subprocess.run(mount, check=False, stderr=subprocess.DEVNULL).returncode:
        pytest.skip("mounting a tmpfs is not allowed here")
    yield folder
    subprocess.run(("umount", "--lazy", folder), check=True)


def fill(folder: Path) -> Path:
    """A file that takes all the room there is."""
    filler = folder / "filler"
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, os.statvfs(folder).f_bavail * 4096)
    return filler


def append_until_full(journal: Journal) -> int:
    """How many records fit."""
    for written in itertools.count():
        try:
            journal.append(generation(written))
        except JournalError:
            break
    return written


async def call(gateway: RunningGateway, times: int) -> list[int]:
    """The statuses of some calls."""
    statuses = []
    async with connected(gateway.origin) as client:
        for _ in range(times):
            client.send(post(CHAT))
            statuses.append((await client.answer()).status)
    return statuses


async def test_requests_go_on(
    tmp_path: Path, small_disk: Path, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    """No call fails; the error is logged once; what comes when there is room again is recorded,
    and the losses can be asked for from outside."""
    ledger = {"url": f"sqlite:{tmp_path}/hearth.db", "journal": f"{small_disk}/journal"}
    async with (
        serving(Requests(whole(COMPLETION))) as provider,
        running_gateway(tmp_path, [at(provider)], ledger=ledger, server={"wire": wire}) as gateway,
    ):
        assert await call(gateway, 2) == [200] * 2
        lost = 0
        for _ in range(2):
            before = read_losses(small_disk / "journal")
            filler = fill(small_disk)
            assert await call(gateway, 40) == [200] * 40
            filler.unlink()
            lost += (now := read_losses(small_disk / "journal")) - before
            assert now > before
            assert await call(gateway, 3) == [200] * 3
        recorded = await generations(gateway)
    assert len(recorded) == 2 + 2 * 43 - lost
    (error,) = (entry for entry in caplog.records if entry.levelname == "ERROR")
    assert "records are being lost" in error.getMessage()
    assert str(small_disk) in error.getMessage()


async def test_the_journal_makes_room(tmp_path: Path, small_disk: Path) -> None:
    """A disk that nothing but the journal fills has room again once the store has it all."""
    journal = Journal(small_disk / "journal")
    store = await SqliteStore.open(tmp_path / "hearth.db")
    shipper = Shipper(journal.folder, store)
    written = [append_until_full(journal)]
    for _ in range(2):
        await shipper.flush()
        written.append(append_until_full(journal))
    await store.close()
    assert min(written) > 1000


async def test_losses_are_told(tmp_path: Path, small_disk: Path) -> None:
    """`hearth ledger status` says what no gateway could write, also after it ended."""
    ledger = {"url": f"sqlite:{tmp_path}/hearth.db", "journal": f"{small_disk}/journal"}
    async with (
        serving(Requests(whole(COMPLETION))) as provider,
        running_gateway(tmp_path, [at(provider)], ledger=ledger) as gateway,
    ):
        filler = fill(small_disk)
        await call(gateway, 30)
        filler.unlink()
    lost = read_losses(small_disk / "journal")
    status = await hearth("ledger", "status", "-c", tmp_path / "config.yaml")
    assert lost > 10
    assert f"records that could not be written and are lost: {lost}\n" in status.out


async def test_opening_on_a_full_disk(small_disk: Path) -> None:
    """A worker that dies has a successor: a file that is up to date takes no room to be opened."""
    path = small_disk / "hearth.db"
    store = await SqliteStore.open(path)
    await store.apply(records(generation(1)))
    filler = fill(small_disk)
    successor = await SqliteStore.open(path)
    assert len(await successor.generations(GenerationQuery())) == 1
    filler.unlink()
    await successor.close()
    await store.close()
