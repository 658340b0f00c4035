"""A worker whose event loop stands still is noticed, killed and replaced."""

import asyncio
import os
import signal
from pathlib import Path

from gateway.processes.pulse import LONGEST, beat, watch
from tests.calls import COMPLETION, Requests, at, whole
from tests.raw_provider import serving, until
from tests.test_processes import asking_through_loss, eventually, recorded, served


class Worker:
    """One that says something at every n-th look, or never."""

    def __init__(self, speaks_every: int = 0) -> None:
        self.looks = 0
        self.kills = 0
        self._speaks_every = speaks_every

    def missed(self) -> int:
        self.looks += 1
        return self.looks % self._speaks_every if self._speaks_every else self.looks

    def kill(self) -> None:
        self.kills += 1


async def test_who_is_silent_is_killed_once() -> None:
    """Ten looks in a row without a word are too many, nine are not."""
    silent, slow, living = Worker(), Worker(LONGEST), Worker(1)
    watching = asyncio.create_task(watch({silent, slow, living}, every=0.001))
    await until(lambda: living.looks > 3 * LONGEST)
    watching.cancel()
    assert (silent.kills, slow.kills, living.kills) == (1, 0, 0)


async def test_a_pulse_begins_at_once() -> None:
    """A worker is heard of before the first second is over."""
    words: list[None] = []
    beating = asyncio.create_task(beat(lambda: words.append(None)))
    await asyncio.sleep(0)
    beating.cancel()
    assert words == [None]


async def test_a_worker_that_hangs(tmp_path: Path) -> None:
    """Others serve meanwhile; then it is replaced, the log says why, and no answer is lost."""
    async with (
        serving(Requests(whole(COMPLETION))) as provider,
        served(tmp_path, [at(provider)], server={"workers": 2}) as gateway,
    ):
        async with asking_through_loss(gateway) as found:
            await eventually(lambda: _has(found, 200))
            hung, other = gateway.workers()
            os.kill(hung, signal.SIGSTOP)
            before = len(found)
            async with asyncio.timeout(LONGEST + 10):
                while len(workers := set(gateway.workers()) - {hung}) < 2:
                    await asyncio.sleep(0.05)
            assert other in workers
            served_meanwhile = len(found) - before
            await eventually(lambda: _has(found, before + served_meanwhile + 200))
        await gateway.running.end(signal.SIGTERM)
        log = gateway.running.process.stderr
        assert log is not None
        assert f"worker {hung} hangs: no word for 10 seconds; it is killed" in str(await log.read())
    assert {name for _, name in found} <= await recorded(tmp_path)


async def _has(found: list[tuple[int, str]], number: int) -> bool:
    return len(found) >= number
