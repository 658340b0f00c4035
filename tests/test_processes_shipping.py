"""The shipper's threads: one yields, one takes over when records wait, and nothing is lost."""

import asyncio
import fcntl
import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from gateway.config import Ledger, Retention
from gateway.ledger.journal import Journal
from gateway.ledger.queries import GenerationQuery
from gateway.ledger.sqlite import SqliteStore
from gateway.processes.shipping import ORDINARY, YIELDING, Shipping
from gateway.processes.shipping_thread import Sample, Scheduling
from gateway.units import Duration
from tests.parts.generations import generation
from tests.parts.redis_servers import shared_server
from tests.parts.stores import FOREVER, prefix_of
from tests.parts.waiting import eventually, until

POLICIES = (os.SCHED_IDLE, os.SCHED_OTHER)


@pytest.fixture
def section(tmp_path: Path) -> Ledger:
    """A ledger in a folder of its own."""
    return Ledger(
        url=f"sqlite:{tmp_path}/hearth.db", journal=f"{tmp_path}/journal", retention=FOREVER
    )


@pytest.fixture
def journal(section: Ledger) -> Journal:
    """A worker's journal."""
    return Journal(Path(section.journal))


@asynccontextmanager
async def running(section: Ledger, *schedulings: Scheduling) -> AsyncIterator[Shipping]:
    """The shipper, finished at the end, as its threads would not let this process end."""
    shipping = Shipping(section, schedulings or (YIELDING, ORDINARY))
    shipping.start()
    try:
        yield shipping
    finally:
        await shipping.finish()


async def shipped(section: Ledger) -> list[str]:
    """The ids that the store has, in the order they were settled."""
    store = await SqliteStore.open(Path(section.url.removeprefix("sqlite:")))
    try:
        found = await store.generations(GenerationQuery(limit=1000))
        return [one.id for one in reversed(found)]
    finally:
        await store.close()


async def until_shipped(section: Ledger, ids: Collection[str]) -> None:
    """Wait until the store has them."""

    async def has_all() -> bool:
        return set(ids) <= set(await shipped(section))

    await eventually(has_all)


async def is_empty(section: Ledger) -> bool:
    """Whether the store has nothing."""
    return not await shipped(section)


def noting(notes: list[tuple[int, str]], scheduling: Scheduling) -> Scheduling:
    """The same, which also notes the policy and the name of the thread that it asks."""

    def is_over(sample: Sample) -> bool:
        notes.append((os.sched_getscheduler(0), threading.current_thread().name))
        return scheduling.is_over(sample)

    return Scheduling(scheduling.policy, is_over)


async def test_what_is_journaled_is_shipped(section: Ledger, journal: Journal) -> None:
    """While it runs, and to the last record when it is told to finish."""
    async with running(section):
        journal.append(generation(1, id="gen-1"))
        await until_shipped(section, ["gen-1"])
        journal.append(generation(2, id="gen-2"))
    assert await shipped(section) == ["gen-1", "gen-2"]


async def test_the_thread_yields(section: Ledger, journal: Journal) -> None:
    """It runs at the idle policy, and the thread that started it stays at the ordinary one."""
    notes: list[tuple[int, str]] = []
    async with running(section, noting(notes, YIELDING)):
        await until(lambda: bool(notes), within=150)
    assert {policy for policy, _ in notes} == {os.SCHED_IDLE}
    assert threading.current_thread().name not in {name for _, name in notes}
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


@pytest.mark.parametrize(
    ("scheduling", "sample", "is_over"),
    [
        (YIELDING, Sample(waited=0.3, lasted=1e6, starved=0.9), False),
        (YIELDING, Sample(waited=2.1, lasted=1, starved=0.6), True),
        (YIELDING, Sample(waited=2.1, lasted=1, starved=0.4), False),
        (ORDINARY, Sample(waited=2.1, lasted=9, starved=0.9), False),
        (ORDINARY, Sample(waited=0.3, lasted=11, starved=0.0), True),
    ],
)
def test_when_a_thread_is_over(scheduling: Scheduling, sample: Sample, is_over: bool) -> None:
    """One that yields is relieved when records have waited for two seconds while it starved, not
    for a slow store; the ordinary one stays for ten."""
    assert scheduling.is_over(sample) is is_over


@contextmanager
def one_core() -> Iterator[None]:
    """Keep this thread, and those it starts, to one core."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


@contextmanager
def crowd() -> Iterator[None]:
    """A process on that core that takes all it gets."""
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        busy.kill()
        busy.wait()


@pytest.mark.skipif(
    os.nice(0) > 5, reason="beside what is nice itself an idle thread starves little"
)
@pytest.mark.timeout(200)
async def test_one_that_starves_is_relieved(section: Ledger, journal: Journal) -> None:
    """Where others want all of the CPU records are shipped all the same, at the ordinary policy."""
    notes: list[tuple[int, str]] = []
    noted = (noting(notes, each) for each in (YIELDING, ORDINARY))
    with one_core():
        async with running(section, *noted), asyncio.timeout(150):
            # It has begun: that takes it long in a crowd, and other tests may be one already.
            await until(lambda: bool(notes), within=150)
            with crowd():
                for number in itertools.count():
                    if any(policy == os.SCHED_OTHER for policy, _ in notes):
                        break
                    journal.append_all([generation(number * 20 + one) for one in range(20)])
                    await asyncio.sleep(0.01)
    assert notes[0][0] == os.SCHED_IDLE


async def test_threads_follow_each_other(section: Ledger, journal: Journal) -> None:
    """Each is a thread of its own policy; every record is counted once across them."""
    notes: list[tuple[int, str]] = []
    schedulings = [Scheduling(policy, lambda sample: sample.lasted > 0.1) for policy in POLICIES]
    ids = [f"gen-{number}" for number in range(200)]
    async with running(section, *(noting(notes, each) for each in schedulings)):
        for number, name in enumerate(ids):
            journal.append(generation(number, id=name))
            await asyncio.sleep(0.002)
        await until(lambda: len(notes) > 6)
        await until_shipped(section, ids)
    assert sorted(await shipped(section)) == sorted(ids)
    policies = [policy for policy, _ in itertools.groupby(policy for policy, _ in notes)]
    assert policies[:3] == [os.SCHED_IDLE, os.SCHED_OTHER, os.SCHED_IDLE]


async def test_no_thread_reads_again(
    section: Ledger, journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    """What one has shipped the next one does not read, be its retention another: it would meet the
    broken line again."""
    with (Path(section.journal) / "other-000000000001.jsonl").open("w") as segment:
        segment.write("broken\n")
        segment.flush()
        fcntl.flock(segment, fcntl.LOCK_EX)  # as its writer does, so that it stays
        threads: set[str] = set()

        def is_over(sample: Sample) -> bool:
            threads.add(threading.current_thread().name)
            return sample.lasted > 0.1

        async with running(section, Scheduling(os.SCHED_OTHER, is_over)) as shipping:
            journal.append(generation(1, id="gen-1"))
            await until(lambda: len(threads) > 2)
            longer = replace(FOREVER, activity=Duration(2e10))
            shipping.renew(replace(section, retention=longer))
            await until(lambda: len(threads) > 4)
        assert await shipped(section) == ["gen-1"]
    assert caplog.text.count("corrupt line") == 1


async def test_a_thread_that_fails(
    section: Ledger, journal: Journal, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Where the store cannot be opened the log says why, and another thread comes."""
    journal.append(generation(1, id="gen-1"))
    in_the_way = tmp_path / "hearth.db"
    in_the_way.mkdir()
    async with running(section):
        await until(lambda: "starts again" in caplog.text)
        in_the_way.rmdir()
        await until_shipped(section, ["gen-1"])
    assert "hearth.db" in caplog.text


@contextmanager
def no_folder(folder: Path) -> Iterator[None]:
    """A file in the place of the journals."""
    away = folder.rename(folder.with_suffix(".away"))
    folder.touch()
    yield
    folder.unlink()
    away.rename(folder)


async def test_failures_of_all_threads_count(section: Ledger, journal: Journal) -> None:
    """A thread that ends takes nothing from the count: a metric must not fall."""
    seen: list[int] = []

    def is_over(sample: Sample) -> bool:
        seen.append(shipping.failures)
        return sample.lasted > 0.6

    with no_folder(Path(section.journal)):
        async with running(section, Scheduling(os.SCHED_OTHER, is_over)) as shipping:
            await until(lambda: max(seen, default=0) > 6)
    assert seen == sorted(seen)
    assert shipping.failures >= seen[-1]


async def test_a_shorter_retention(section: Ledger, journal: Journal) -> None:
    """What is older than the configuration now says is forgotten at once, and does not come back
    although its writer still holds the journal."""
    journal.append(generation(1, id="gen-1"))
    async with running(section) as shipping:
        await until_shipped(section, ["gen-1"])
        shipping.renew(replace(section, retention=Retention()))
        await eventually(lambda: is_empty(section))
    async with running(section):
        journal.append(generation(2, id="gen-2", created_at=time.time_ns() // 1000))
        await until_shipped(section, ["gen-2"])
    assert await shipped(section) == ["gen-2"]


async def test_a_longer_retention(tmp_path: Path) -> None:
    """What the store keeps from now on it keeps for as long as the configuration now says: in
    Redis each key has a lifetime."""
    prefix = prefix_of(tmp_path)
    section = Ledger(url=f"{shared_server().url}?prefix={prefix}", journal=f"{tmp_path}/journal")
    journal, numbers = Journal(Path(section.journal)), itertools.count()
    month, season = section.retention.generations, Duration(90 * 86_400)

    async def is_kept_for(retention: Duration) -> bool:
        journal.append(generation(next(numbers), created_at=time.time_ns() // 1000))
        left = [await redis.ttl(key) async for key in redis.scan_iter(f"*{prefix}*")]
        return any(retention <= seconds <= retention + 2 * 86_400 for seconds in left)

    async with running(section) as shipping, Redis.from_url(shared_server().url) as redis:
        await eventually(lambda: is_kept_for(month))
        shipping.renew(replace(section, retention=Retention(generations=season)))
        await eventually(lambda: is_kept_for(season))
