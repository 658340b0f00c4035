"""An alarm rings once, when the time it was last set to has come, on as few timers as can be."""

import asyncio
from collections.abc import Callable

import pytest

from gateway.wire.alarm import NEVER, Alarm
from tests.parts.waiting import PATIENCE


class Bell:
    """Counts the rings of its alarm, and remembers when the last one came."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._rang = asyncio.Event()
        self.rings = 0
        self.alarm = Alarm(self._loop, self._ring)

    def _ring(self) -> None:
        self.rings += 1
        self.rang_at = self._loop.time()
        self._rang.set()

    async def wait(self) -> None:
        """Return when it has rung since it was last waited for."""
        await asyncio.wait_for(self._rang.wait(), PATIENCE)
        self._rang.clear()


async def test_rings_at_its_time() -> None:
    """It rings once, and not before its time by more than the clock's step."""
    bell = Bell()
    at = asyncio.get_running_loop().time() + 0.02
    bell.alarm.set(at)
    await bell.wait()
    assert bell.rings == 1
    assert bell.rang_at >= at - 0.002


async def test_putting_off_moves_the_ring() -> None:
    """A later time replaces the earlier one: the timer that is under way does not ring."""
    bell = Bell()
    now = asyncio.get_running_loop().time()
    bell.alarm.set(now + 0.01)
    bell.alarm.set(now + 0.04)
    await bell.wait()
    assert bell.rings == 1
    assert bell.rang_at >= now + 0.038


async def test_an_earlier_time_rings_earlier() -> None:
    """A nearer time does not wait for the timer that is under way."""
    bell = Bell()
    now = asyncio.get_running_loop().time()
    bell.alarm.set(now + 60)
    bell.alarm.set(now + 0.01)
    await bell.wait()
    assert bell.rings == 1


@pytest.mark.parametrize("silence", [lambda alarm: alarm.stop(), lambda alarm: alarm.set(NEVER)])
async def test_silenced_alarms_do_not_ring(silence: Callable[[Alarm], None]) -> None:
    """Neither a stopped alarm rings nor one that is put off for ever, though a later one does."""
    bell, later = Bell(), Bell()
    now = asyncio.get_running_loop().time()
    bell.alarm.set(now + 0.01)
    silence(bell.alarm)
    later.alarm.set(now + 0.03)
    await later.wait()
    assert bell.rings == 0


async def test_a_stop_is_for_good() -> None:
    """What is set after it rings for nobody."""
    bell, later = Bell(), Bell()
    now = asyncio.get_running_loop().time()
    bell.alarm.stop()
    bell.alarm.set(now)
    later.alarm.set(now + 0.02)
    await later.wait()
    assert bell.rings == 0


async def test_rings_again_when_set_again() -> None:
    """After a ring it is as good as new."""
    bell = Bell()
    now = asyncio.get_running_loop().time()
    bell.alarm.set(now)
    await bell.wait()
    bell.alarm.set(now)
    await bell.wait()
    assert bell.rings == 2
