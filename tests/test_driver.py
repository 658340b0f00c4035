"""Coroutines that are run without a task: when they go on, how they end, and what a cancel does."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from gateway.wire.driver import Driver, Pause
from tests.parts.waiting import until


class Life:
    """A driver, and what it and its coroutines did, in order."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.driver = Driver(self._ended)

    def run(self, awaited: Awaitable[Any]) -> None:
        """A coroutine that waits for this."""
        self.driver.run(self.wait(awaited))

    def run_all(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self.driver.run(coroutine)

    async def wait(self, awaited: Awaitable[Any]) -> None:
        """Wait for this."""
        self.events.append("waits")
        try:
            await awaited
        finally:
            self.events.append("goes on")

    def _ended(self, error: BaseException | None) -> None:
        self.events.append(f"ended: {error!r}" if error is not None else "ended")

    async def until_ended(self) -> None:
        await until(lambda: not self.driver.is_busy)


CANCELLED = ["waits", "goes on", "ended: CancelledError()"]


async def test_what_never_waits_is_over_at_once() -> None:
    """A coroutine runs in the call that begins it; its driver is free for another one then."""
    life = Life()

    async def work() -> None:
        life.events.append("works")
        assert life.driver.is_busy

    for _ in range(2):
        life.run_all(work())
        assert not life.driver.is_busy
    assert life.events == ["works", "ended"] * 2


async def test_goes_on_within_the_end_of_a_pause() -> None:
    """Whoever ends the pause runs what comes after it, up to the next wait or the end."""
    life, first, second = Life(), Pause(), Pause()

    async def work() -> None:
        await first
        life.events.append("between")
        await second

    life.run_all(work())
    assert life.events == []
    first.end()
    assert life.events == ["between"]
    second.end()
    assert life.events == ["between", "ended"]


async def test_a_pause_in_a_task() -> None:
    """A task that waits goes on in a turn of its own, as with any future."""
    life, pause = Life(), Pause()
    task = asyncio.create_task(life.wait(pause))
    await asyncio.sleep(0)
    pause.end()
    assert life.events == ["waits"]
    await task
    assert life.events == ["waits", "goes on"]


async def test_a_pause_that_is_over() -> None:
    """Nobody waits for what has happened, nor misses what went wrong."""
    good, bad = Pause(), Pause()
    good.end()
    bad.end(ValueError("bad"))
    life = Life()
    life.run(good)
    life.run(bad)
    assert life.events[3:] == ["waits", "goes on", "ended: ValueError('bad')"]
    await good
    with pytest.raises(ValueError, match="bad"):
        await bad


async def test_errors_of_a_pause() -> None:
    """What it ends with is raised where the coroutine waits, in a driver and in a task."""
    life, pause, another = Life(), Pause(), Pause()
    life.run(pause)
    pause.end(ValueError("bad"))
    assert life.events == ["waits", "goes on", "ended: ValueError('bad')"]
    task = asyncio.create_task(life.wait(another))
    await asyncio.sleep(0)
    another.end(ValueError("bad"))
    with pytest.raises(ValueError, match="bad"):
        await task


async def test_a_cancelled_task_leaves_its_pause() -> None:
    """A pause that nobody waits for any more may still end."""
    life, pause = Life(), Pause()
    task = asyncio.create_task(life.wait(pause))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    pause.end(ValueError("bad"))


async def test_futures_and_tasks() -> None:
    """A coroutine may wait for anything that a task may wait for."""
    loop = asyncio.get_running_loop()
    life, future = Life(), loop.create_future()

    async def work() -> None:
        assert await future == 1
        assert await asyncio.create_task(asyncio.sleep(0, 2)) == 2
        with pytest.raises(TimeoutError):
            await asyncio.create_task(fail())

    async def fail() -> None:
        async with asyncio.timeout(0):
            await loop.create_future()

    life.run_all(work())
    future.set_result(1)
    await life.until_ended()
    assert life.events == ["ended"]


async def test_a_future_may_have_others_who_wait() -> None:
    """That a driver waits for a future keeps no task from it."""
    future = asyncio.get_running_loop().create_future()
    life, another = Life(), Life()
    life.run(future)
    another.run(future)
    waiting = asyncio.create_task(life.wait(future))
    await asyncio.sleep(0)
    future.set_result(None)
    await waiting
    assert (life.events.count("ended"), another.events.count("ended")) == (1, 1)


async def test_cancelled_in_a_pause() -> None:
    """The coroutine ends within the cancel; a late end of its pause reaches nobody."""
    life, pause, another = Life(), Pause(), Pause()
    life.run(pause)
    life.driver.cancel()
    assert life.events == CANCELLED
    life.run(another)
    pause.end()
    assert life.events == [*CANCELLED, "waits"]
    another.end()
    assert life.events == [*CANCELLED, "waits", "goes on", "ended"]


async def test_cancelled_while_a_task_works() -> None:
    """The task is cancelled, and the coroutine goes on when its cleanup is done."""
    life, started = Life(), asyncio.Event()

    async def work() -> None:
        try:
            started.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            life.events.append("cleaned up")

    life.run(asyncio.create_task(work()))
    await started.wait()
    life.driver.cancel()
    assert life.events == ["waits"]
    await life.until_ended()
    assert life.events == ["waits", "cleaned up", *CANCELLED[1:]]


async def test_cancelled_when_the_task_is_done() -> None:
    """A cancel that comes between a task's end and the word of it counts, and only once."""
    life, task = Life(), asyncio.create_task(asyncio.sleep(0))
    life.run(task)
    while not task.done():
        await asyncio.sleep(0)
    life.driver.cancel()
    assert life.events == CANCELLED
    await asyncio.sleep(0)
    assert life.events == CANCELLED


async def test_a_cancel_may_be_declined() -> None:
    """A coroutine that goes on after a cancel is run to its end."""
    life, pause, another = Life(), Pause(), Pause()

    async def work() -> None:
        try:
            await pause
        except asyncio.CancelledError:
            await another
        life.events.append("worked on")

    life.run_all(work())
    life.driver.cancel()
    assert life.driver.is_busy
    another.end()
    assert life.events == ["worked on", "ended"]


async def test_nothing_to_cancel() -> None:
    """A cancel before, within or after a coroutine is none of the next one's."""
    life, pause = Life(), Pause()

    async def work() -> None:
        life.driver.cancel()
        await pause

    life.driver.cancel()
    life.run_all(work())
    pause.end()
    life.driver.cancel()
    assert life.events == ["ended"]


async def test_the_end_may_begin_the_next() -> None:
    """Whoever is told of the end may run another coroutine right there."""
    left = [Pause(), Pause()]
    ends: list[BaseException | None] = []

    async def wait(pause: Pause) -> None:
        await pause

    def ended(error: BaseException | None) -> None:
        ends.append(error)
        if left:
            driver.run(wait(left[0]))

    driver = Driver(ended)
    driver.run(wait(left[0]))
    while left:
        left.pop(0).end()
    assert ends == [None, None]
    assert not driver.is_busy


@pytest.mark.parametrize(
    "end", [Pause.end, lambda pause: pause.end(OSError())], ids=["good", "bad"]
)
async def test_within_a_task(end: Callable[[Pause], None]) -> None:
    """A step that a task brings about is none of the task's: it waits for nothing in it."""
    life, pause, future = Life(), Pause(), asyncio.get_running_loop().create_future()

    async def work() -> None:
        try:
            await pause
        except OSError:
            life.events.append("bad")
        await future

    async def bring_about() -> None:
        end(pause)
        life.events.append("brought about")

    life.run_all(work())
    await asyncio.create_task(bring_about())
    assert life.events[-1] == "brought about"
    future.set_result(None)
    await life.until_ended()
    assert life.events[-1] == "ended"
