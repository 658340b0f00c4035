"""A worker whose event loop stands still is noticed, killed and replaced."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from gateway.processes.heartbeat import MAX_MISSED, beat, watch_heartbeats
from tests.parts.calls import CHAT, COMPLETION, Requests, at, whole
from tests.parts.raw_client import ask_once, post
from tests.parts.raw_provider import serving
from tests.parts.served import Served, asking_through_loss, ids_in_store, served
from tests.parts.waiting import PATIENCE, eventually, until


class Worker:
    """One that says something at every n-th tick, or never."""

    def __init__(self, speaks_every: int = 0) -> None:
        self.ticks = 0
        self.kills = 0
        self._speaks_every = speaks_every

    def tick(self) -> int:
        self.ticks += 1
        return self.ticks % self._speaks_every if self._speaks_every else self.ticks

    def kill(self) -> None:
        self.kills += 1


async def test_who_is_silent_is_killed_once() -> None:
    """Ten ticks in a row without a word are too many, nine are not."""
    silent, slow, living = Worker(), Worker(MAX_MISSED), Worker(1)
    watching = asyncio.create_task(watch_heartbeats({silent, slow, living}, every=0.001))
    await until(lambda: living.ticks > 3 * MAX_MISSED)
    watching.cancel()
    assert (silent.kills, slow.kills, living.kills) == (1, 0, 0)


async def test_a_heartbeat_begins_at_once() -> None:
    """A worker is heard of before the first second is over."""
    words: list[None] = []
    beating = asyncio.create_task(beat(lambda: words.append(None)))
    await asyncio.sleep(0)
    beating.cancel()
    assert words == [None]


async def is_answered(gateway: Served) -> bool:
    """Whether the worker that the kernel chose for a new connection answers soon."""
    try:
        async with asyncio.timeout(0.5):
            return (await ask_once(gateway.url, post(CHAT))).status == 200
    except TimeoutError:
        return False


@pytest.mark.heavy
async def test_a_worker_that_hangs(tmp_path: Path) -> None:
    """Others serve meanwhile; then it is replaced, the log says why, and no answer is lost."""
    async with (
        serving(Requests(whole(COMPLETION))) as provider,
        served(tmp_path, [at(provider)], server={"workers": 2}) as gateway,
    ):
        async with asking_through_loss(gateway) as found:
            await until(lambda: len(found) >= 200)
            hung, other = gateway.workers()
            os.kill(hung, signal.SIGSTOP)
            await eventually(lambda: is_answered(gateway))
            assert hung in gateway.workers()
            soon = MAX_MISSED + PATIENCE
            await until(lambda: len({*gateway.workers()} - {hung}) == 2, within=soon)
            assert other in gateway.workers()
            more = len(found) + 200
            await until(lambda: len(found) >= more)
        await gateway.running.end(signal.SIGTERM)
        log = gateway.running.process.stderr
        assert log is not None
        assert f"worker {hung} hangs: silent for 10 seconds; it is killed" in str(await log.read())
    assert {name for _, name in found} <= await ids_in_store(tmp_path)
