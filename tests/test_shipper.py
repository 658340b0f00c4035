"""The shipper: everything arrives, once, whoever dies or goes away in between."""

import asyncio
import logging
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from pathlib import Path

import pytest
from blockbuster import blockbuster_ctx

from gateway.ledger.backlog import BATCH_RECORDS
from gateway.ledger.journal import Journal
from gateway.ledger.parcel import Parcel
from gateway.ledger.queries import GenerationQuery
from gateway.ledger.segment import segments
from gateway.ledger.shipper import Pace, Shipper
from gateway.ledger.sqlite import SqliteStore
from gateway.ledger.store import Store, StoreUnavailable
from tests.parts.generations import DAY, MICROSECONDS, generation
from tests.parts.stores import counted
from tests.parts.waiting import PATIENCE

QUICK = Pace(gather=0.001, idle=0.01, first_delay=0.001, longest_delay=0.01)


class Unsteady(SqliteStore):
    """A store that can go away, before it applied a batch or before it said so."""

    away = False
    mistakes = 0
    loses_replies = 0
    asked = 0
    batches: list[int]

    async def positions(self, writers: Collection[str]) -> Mapping[str, int]:
        self.asked += 1
        if self.away:
            raise StoreUnavailable("out to lunch")
        return await super().positions(writers)

    async def apply(self, parcels: Sequence[Parcel]) -> None:
        if self.away:
            raise StoreUnavailable("out to lunch")
        if self.mistakes:
            self.mistakes -= 1
            raise ValueError("a mistake")
        await super().apply(parcels)
        self.batches.append(len(parcels))
        if self.loses_replies:
            self.loses_replies -= 1
            raise StoreUnavailable("lost reply")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Unsteady]:
    """An empty store, in reach."""
    opened = await Unsteady.open(tmp_path / "hearth.db")
    opened.batches = []
    yield opened
    await opened.close()


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """The journal of this process."""
    return Journal(tmp_path / "journal")


async def until_counted(store: Store, number: int) -> None:
    """Wait until the background has shipped that many."""
    async with asyncio.timeout(PATIENCE):
        while await counted(store) < number:
            continue


async def test_flush_ships_everything(journal: Journal, store: Unsteady) -> None:
    """After `flush` a read sees each generation settled before it, in any number of batches."""
    for number in range(2 * BATCH_RECORDS + 1):
        journal.append(generation(number))
    await Shipper(journal.folder, store).flush()
    assert await counted(store) == 2 * BATCH_RECORDS + 1


async def test_flush_ships_other_writers(journal: Journal, store: Unsteady) -> None:
    """One flush brings what all workers of the machine settled, not only the caller's."""
    journal.append(generation(1))
    Journal(journal.folder).append(generation(2))
    await Shipper(journal.folder, store).flush()
    assert await counted(store) == 2


async def test_flush_with_no_folder(tmp_path: Path, store: Unsteady) -> None:
    """Where nothing was ever journaled there is nothing to ship, and no folder is made."""
    await Shipper(tmp_path / "none", store).flush()
    assert not (tmp_path / "none").exists()


async def test_flushes_share_a_pass(journal: Journal, store: Unsteady) -> None:
    """Of many flushes at once the first runs, and all others share the one after it."""
    shipper = Shipper(journal.folder, store)
    journal.append(generation(1))
    first = asyncio.create_task(shipper.flush())
    await asyncio.sleep(0)
    journal.append(generation(2))
    await asyncio.gather(first, *(shipper.flush() for _ in range(20)))
    assert await counted(store) == 2
    assert store.asked <= 2


async def test_flush_during_a_pass_sees_what_came_since(journal: Journal, store: Unsteady) -> None:
    """A pass under way may have read on; a flush then waits for the next one."""
    shipper = Shipper(journal.folder, store)
    for number in range(1, 30):
        journal.append(generation(number))
        earlier = asyncio.create_task(shipper.flush())
        for _ in range(number % 7):
            await asyncio.sleep(0)
        journal.append(generation(1000 + number))
        await shipper.flush()
        assert await counted(store) == 2 * number
        await earlier


async def test_cancelled_flush(journal: Journal, store: Unsteady) -> None:
    """A reader that leaves does not stop the pass that others wait for."""
    shipper = Shipper(journal.folder, store)
    journal.append(generation(1))
    leaving, staying = (asyncio.create_task(shipper.flush()) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    await staying
    assert leaving.cancelled()
    assert await counted(store) == 1


async def test_background_ships_what_is_appended(journal: Journal, store: Unsteady) -> None:
    """A notified shipper brings each record to the store by itself."""
    shipper = Shipper(journal.folder, store, QUICK)
    shipper.start()
    for number in range(1, 4):
        journal.append(generation(number))
        shipper.notify()
        await until_counted(store, number)
    await shipper.finish(PATIENCE)
    assert (await shipper.lag()).waiting == 0


async def test_background_finds_what_others_left(journal: Journal, store: Unsteady) -> None:
    """Records of a writer that died are shipped though nobody appends here."""
    shipper = Shipper(journal.folder, store, QUICK)
    shipper.start()
    await shipper.flush()
    journal.append(generation(1))
    journal.close()
    await until_counted(store, 1)
    await shipper.finish(PATIENCE)
    assert (await shipper.lag()).waiting == 0


async def test_nothing_blocks_the_loop(journal: Journal, store: Unsteady) -> None:
    """Files and SQLite are worked on in threads; only the one write of a record is not."""
    shipper = Shipper(journal.folder, store, QUICK)
    with blockbuster_ctx() as blockbuster:
        blockbuster.functions["os.write"].can_block_in("gateway/ledger/journal.py", "_write")
        shipper.start()
        journal.append(generation(1))
        await shipper.flush()
        await shipper.lag()
        await store.generations(GenerationQuery())
        await store.expire(0, 0)
        await shipper.finish(PATIENCE)
    assert await counted(store) == 1


async def test_applied_segments_are_deleted(tmp_path: Path, store: Unsteady) -> None:
    """Full segments go once applied; a live writer's last one stays until it lets go."""
    journal = Journal(tmp_path / "journal", segment_size=1000)
    for number in range(20):
        journal.append(generation(number))
    shipper = Shipper(journal.folder, store)
    assert len(segments(journal.folder)) > 2
    await shipper.flush()
    assert len(segments(journal.folder)) == 1
    journal.append(generation(20))
    journal.close()
    await shipper.flush()
    assert segments(journal.folder) == []
    assert await counted(store) == 21


async def test_restarted_shipper_skips_what_was_applied(journal: Journal, store: Unsteady) -> None:
    """A new process starts at the store's position, and counts nothing twice."""
    for number in range(5):
        journal.append(generation(number))
        await Shipper(journal.folder, store).flush()
    assert await counted(store) == 5


async def test_a_journal_that_was_deleted(journal: Journal, store: Unsteady) -> None:
    """Once it is put back, what was not shipped is, and what was counts no second time."""
    shipper = Shipper(journal.folder, store)
    journal.append(generation(1))
    await shipper.flush()
    journal.append(generation(2))
    shutil.rmtree(journal.folder)
    journal.append(generation(3))
    await shipper.flush()
    assert await counted(store) == 1
    assert journal.put_back()
    await shipper.flush()
    await Shipper(journal.folder, store).flush()
    assert await counted(store) == 3


async def test_shippers_of_several_workers(journal: Journal, store: Unsteady) -> None:
    """Any worker may ship for all of them, also at once."""
    shippers = [Shipper(journal.folder, store) for _ in range(4)]
    writers = [journal, *(Journal(journal.folder, segment_size=500) for _ in range(3))]
    for turn in range(10):
        for index, writer in enumerate(writers):
            writer.append(generation(turn * 4 + index))
        await asyncio.gather(*(shipper.flush() for shipper in shippers))
        assert await counted(store) == (turn + 1) * 4


async def test_unavailable_store(
    journal: Journal, store: Unsteady, caplog: pytest.LogCaptureFixture
) -> None:
    """While the store is away `flush` says so, the journal keeps, and nothing is lost after."""
    caplog.set_level(logging.INFO)
    shipper = Shipper(journal.folder, store, QUICK)
    store.away = True
    shipper.start()
    journal.append(generation(1))
    for _ in range(5):
        with pytest.raises(StoreUnavailable, match="out to lunch"):
            await shipper.flush()
    assert (await shipper.lag()).error == "out to lunch"
    store.away = False
    await until_counted(store, 1)
    await shipper.flush()
    assert (await shipper.lag()).error is None
    assert [parcel.levelname for parcel in caplog.records] == ["ERROR", "INFO"]
    await shipper.finish(PATIENCE)


async def test_mistakes_do_not_end_it(
    journal: Journal, store: Unsteady, caplog: pytest.LogCaptureFixture
) -> None:
    """An error that nobody expected is logged whole, and the background tries again."""
    store.mistakes = 2
    shipper = Shipper(journal.folder, store, QUICK)
    journal.append(generation(1))
    with pytest.raises(StoreUnavailable, match="a mistake"):
        await shipper.flush()
    assert shipper.waited == 0.0
    shipper.start()
    await until_counted(store, 1)
    await shipper.finish(PATIENCE)
    assert [record.exc_info is not None for record in caplog.records] == [True]


async def test_lost_replies_count_once(journal: Journal, store: Unsteady) -> None:
    """A batch whose reply was lost is sent again and not counted again."""
    shipper = Shipper(journal.folder, store, QUICK)
    store.loses_replies = 3
    for number in range(1200):
        journal.append(generation(number))
    shipper.start()
    await until_counted(store, 1200)
    await shipper.flush()
    assert await counted(store) == 1200
    await shipper.finish(PATIENCE)


async def test_lag_of_nothing(journal: Journal, store: Unsteady) -> None:
    """With everything applied there is no lag, also for a process that has just started."""
    journal.append(generation(1))
    await Shipper(journal.folder, store).flush()
    lag = await Shipper(journal.folder, store).lag()
    assert (lag.waiting, lag.oldest, lag.corrupt, lag.error) == (0, 0.0, 0, None)


async def test_lag_counts_bytes_and_seconds(journal: Journal, store: Unsteady) -> None:
    """Lag is what waits in bytes, and the time since the oldest of it was settled."""
    settled = (DAY * MICROSECONDS + 5_000_000) / 1e6 + 20
    shipper = Shipper(journal.folder, store, clock=lambda: settled + 90)
    journal.append(generation(1))
    await shipper.flush()
    applied = segments(journal.folder)[0].path.stat().st_size
    journal.append(generation(5, latency_ms=20_000))
    journal.append(generation(6, latency_ms=20_000))
    lag = await shipper.lag()
    assert lag.waiting == segments(journal.folder)[0].path.stat().st_size - applied
    assert lag.oldest == pytest.approx(90)


async def test_lag_with_the_store_away(journal: Journal, store: Unsteady) -> None:
    """A store that is away is told in the lag, not raised."""
    journal.append(generation(1))
    store.away = True
    lag = await Shipper(journal.folder, store).lag()
    assert (lag.error, lag.waiting) == (
        "out to lunch",
        segments(journal.folder)[0].path.stat().st_size,
    )


async def test_lag_of_journals_that_cannot_be_read(journal: Journal, store: Unsteady) -> None:
    """That is told in the lag as well, while lists and pages go on; and no more once it is over."""
    journal.append(generation(1))
    shipper, away = Shipper(journal.folder, store), journal.folder.with_suffix(".away")
    journal.folder.rename(away)
    journal.folder.touch()
    lag = await shipper.lag()
    assert (lag.waiting, "Not a directory" in (lag.error or "")) == (0, True)
    journal.folder.unlink()
    away.rename(journal.folder)
    await shipper.flush()
    assert (await shipper.lag()).error is None


async def test_lag_when_another_process_ships(journal: Journal, store: Unsteady) -> None:
    """A process that ships nothing itself learns that the store is back, and is full again."""
    journal.append(generation(1))
    shipper = Shipper(journal.folder, store)
    store.away = True
    with pytest.raises(StoreUnavailable):
        await shipper.flush()
    assert (await shipper.lag()).error == "out to lunch"
    store.away = False
    assert (await shipper.lag()).waiting > 0
    await Shipper(journal.folder, store).flush()
    lag = await shipper.lag()
    assert (lag.waiting, lag.error) == (0, None)
    store.away = True
    assert (await shipper.lag()).error == "out to lunch"


async def test_stop_ships_the_rest(journal: Journal, store: Unsteady) -> None:
    """Stopping brings what is there to the store first."""
    shipper = Shipper(journal.folder, store)
    shipper.start()
    journal.append(generation(1))
    await shipper.finish(PATIENCE)
    assert await counted(store) == 1


async def test_stop_does_not_wait_longer(
    journal: Journal, store: Unsteady, caplog: pytest.LogCaptureFixture
) -> None:
    """Another process has the turn: after the given time the rest is left for the next start."""
    holder = await hold_turn(journal.folder)
    shipper = Shipper(journal.folder, store)
    shipper.start()
    journal.append(generation(1))
    started = time.monotonic()
    await shipper.finish(0.05)
    assert time.monotonic() - started < 10
    assert "keeps records for the next start: there was no time" in caplog.text
    holder.kill()
    holder.communicate()
    await Shipper(journal.folder, store).flush()
    assert await counted(store) == 1


async def test_stop_with_the_store_away(
    journal: Journal, store: Unsteady, caplog: pytest.LogCaptureFixture
) -> None:
    """What is left for the next start is said in words, and why."""
    store.away = True
    journal.append(generation(1))
    await Shipper(journal.folder, store).finish(5)
    assert caplog.messages[-1] == f"{journal.folder} keeps records for the next start: out to lunch"


async def hold_turn(folder: Path) -> "subprocess.Popen[bytes]":
    """A process that ships from the folder and never comes to an end."""
    code = (
        "import fcntl, sys, time; file = open(sys.argv[1], 'w'); fcntl.flock(file, fcntl.LOCK_EX);"
        "print(flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(folder / "ship.lock")]
    child = await asyncio.to_thread(subprocess.Popen, command, stdout=subprocess.PIPE)
    assert child.stdout
    await asyncio.to_thread(child.stdout.readline)
    return child


async def test_batches_are_as_the_store_likes_them(journal: Journal, store: Unsteady) -> None:
    """No batch is larger than what the store is best given at once."""
    store.batch_size = 2
    for number in range(5):
        journal.append(generation(number))
    await Shipper(journal.folder, store).flush()
    assert store.batches == [2, 2, 1]
