"""The shipper's thread: it makes way, presses when records wait, and loses nothing in between."""

import asyncio
import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.config import Ledger, Retention
from gateway.ledger.journal import Journal
from gateway.ledger.queries import GenerationQuery
from gateway.ledger.sqlite import SqliteStore
from gateway.processes.shipping import MAKING_WAY, PRESSING, Shipping
from gateway.processes.turn import Look, Manner
from gateway.units import Duration
from tests.generations import generation
from tests.raw_provider import until

POLICIES = (os.SCHED_IDLE, os.SCHED_OTHER)
FOREVER = Retention(generations=Duration(1e10), activity=Duration(1e10))


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
    async with asyncio.timeout(10):
        while not set(ids) <= set(await shipped(section)):
            await asyncio.sleep(0.01)


def noting(notes: list[tuple[int, str]], manner: Manner) -> Manner:
    """The same, which also notes the policy and the name of the thread that it asks."""

    def is_over(look: Look) -> bool:
        notes.append((os.sched_getscheduler(0), threading.current_thread().name))
        return manner.is_over(look)

    return Manner(manner.policy, is_over)


async def test_what_is_journaled_is_shipped(section: Ledger, journal: Journal) -> None:
    """While it runs, and to the last record when it is told to finish."""
    shipping = Shipping(section)
    shipping.start()
    journal.append(generation(1, id="gen-1"))
    await until_shipped(section, ["gen-1"])
    journal.append(generation(2, id="gen-2"))
    await shipping.finish()
    assert await shipped(section) == ["gen-1", "gen-2"]


async def test_the_thread_makes_way(section: Ledger, journal: Journal) -> None:
    """It runs at the idle policy, and the thread that started it stays at the ordinary one."""
    notes: list[tuple[int, str]] = []
    shipping = Shipping(section, (noting(notes, MAKING_WAY),))
    shipping.start()
    await until(lambda: bool(notes))
    await shipping.finish()
    assert {policy for policy, _ in notes} == {os.SCHED_IDLE}
    assert threading.current_thread().name not in {name for _, name in notes}
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


@pytest.mark.parametrize(
    ("manner", "look", "is_over"),
    [
        (MAKING_WAY, Look(waited=0.3, lasted=1e6, held_up=0.9), False),
        (MAKING_WAY, Look(waited=2.1, lasted=1, held_up=0.6), True),
        (MAKING_WAY, Look(waited=2.1, lasted=1, held_up=0.4), False),
        (PRESSING, Look(waited=2.1, lasted=9, held_up=0.9), False),
        (PRESSING, Look(waited=0.3, lasted=11, held_up=0.0), True),
    ],
)
def test_when_a_turn_is_over(manner: Manner, look: Look, is_over: bool) -> None:
    """One that makes way yields to one that presses when records have waited for two seconds, and
    not for a slow store; that one stays for ten."""
    assert manner.is_over(look) is is_over


@contextmanager
def crowded_core() -> Iterator[None]:
    """Have this thread, and those it starts, share a core with a process that takes all it gets."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        busy.kill()
        busy.wait()
        os.sched_setaffinity(0, cores)


async def test_one_that_starves_is_relieved(section: Ledger, journal: Journal) -> None:
    """Where others want all of the CPU records are shipped all the same, at the ordinary policy."""
    notes: list[tuple[int, str]] = []
    shipping = Shipping(section, tuple(noting(notes, way) for way in (MAKING_WAY, PRESSING)))
    with crowded_core():
        shipping.start()
        async with asyncio.timeout(90):
            for number in itertools.count():
                if any(policy == os.SCHED_OTHER for policy, _ in notes):
                    break
                journal.append_all([generation(number * 20 + one) for one in range(20)])
                await asyncio.sleep(0.01)
    await shipping.finish()
    assert notes[0][0] == os.SCHED_IDLE


async def test_turns_follow_each_other(section: Ledger, journal: Journal) -> None:
    """Each is a thread of its own policy; every record is counted once across them."""
    notes: list[tuple[int, str]] = []
    ways = [Manner(policy, lambda look: look.lasted > 0.1) for policy in POLICIES]
    shipping = Shipping(section, tuple(noting(notes, way) for way in ways))
    shipping.start()
    ids = [f"gen-{number}" for number in range(200)]
    for number, name in enumerate(ids):
        journal.append(generation(number, id=name))
        await asyncio.sleep(0.002)
    await until(lambda: len(notes) > 6)
    await until_shipped(section, ids)
    await shipping.finish()
    assert sorted(await shipped(section)) == sorted(ids)
    turns = [policy for policy, _ in itertools.groupby(policy for policy, _ in notes)]
    assert turns[:3] == [os.SCHED_IDLE, os.SCHED_OTHER, os.SCHED_IDLE]


async def test_a_turn_that_fails(
    section: Ledger, journal: Journal, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Where the store cannot be opened the log says why, and another turn comes."""
    journal.append(generation(1, id="gen-1"))
    in_the_way = tmp_path / "hearth.db"
    in_the_way.mkdir()
    shipping = Shipping(section)
    shipping.start()
    await until(lambda: "begins again" in caplog.text)
    in_the_way.rmdir()
    await until_shipped(section, ["gen-1"])
    await shipping.finish()
    assert "hearth.db" in caplog.text


@contextmanager
def no_folder(folder: Path) -> Iterator[None]:
    """A file in the place of the journals."""
    away = folder.rename(folder.with_suffix(".away"))
    folder.touch()
    yield
    folder.unlink()
    away.rename(folder)


async def test_failures_of_all_turns_count(section: Ledger, journal: Journal) -> None:
    """A turn that ends takes nothing from the count: a metric must not fall."""
    seen: list[int] = []

    def is_over(look: Look) -> bool:
        seen.append(shipping.failures)
        return look.lasted > 0.6

    shipping = Shipping(section, (Manner(os.SCHED_OTHER, is_over),))
    with no_folder(Path(section.journal)):
        shipping.start()
        await until(lambda: max(seen, default=0) > 6)
    await shipping.finish()
    assert seen == sorted(seen)
    assert shipping.failures >= seen[-1]


async def test_a_new_retention(section: Ledger, journal: Journal) -> None:
    """What is older than the configuration now says is forgotten by the next turn that looks, and
    does not come back although its writer still holds the journal."""
    journal.append(generation(1, id="gen-1"))
    first = Shipping(section)
    first.start()
    await until_shipped(section, ["gen-1"])
    await first.finish()
    second = Shipping(section)
    second.renew(Ledger(url=section.url, journal=section.journal))
    second.start()
    async with asyncio.timeout(5):
        while await shipped(section):
            await asyncio.sleep(0.01)
    await second.finish()
    third = Shipping(section)
    third.start()
    journal.append(generation(2, id="gen-2", created_at=time.time_ns() // 1000))
    await until_shipped(section, ["gen-2"])
    await third.finish()
    assert await shipped(section) == ["gen-2"]
