"""A deadline that moves with every read and still costs hardly a timer."""

import asyncio
import math
from collections.abc import Callable
from typing import Final

NEVER: Final = math.inf

_CLOCK_STEP = 0.001  # uvloop's timers count whole milliseconds and may wake up early by one


class Alarm:
    """Calls `ring` once when the time it was last set to has come.

    Putting the time off is an assignment: the timer that is under way wakes up too early, sees
    it, and sleeps on. Only a time before that wake-up needs another timer.
    """

    __slots__ = ("_loop", "_ring", "_rings_at", "_timer", "_wakes_at")

    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> None:
        self._loop = loop
        self._ring = ring
        self._rings_at = NEVER
        self._wakes_at = NEVER
        self._timer: asyncio.TimerHandle | None = None

    def set(self, at: float) -> None:
        """Ring at `at`, seconds on the loop's clock, instead of before; `NEVER` keeps silent."""
        self._rings_at = at
        if at < self._wakes_at:
            self._sleep()

    def stop(self) -> None:
        """Never ring again, and let go of the timer and `ring`, whose owner mostly holds this."""
        self._rings_at = self._wakes_at = NEVER
        self._ring = _ring_for_nobody
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _sleep(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._wakes_at = self._rings_at
        self._timer = self._loop.call_at(self._rings_at, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._wakes_at = NEVER
        if self._rings_at <= self._loop.time() + _CLOCK_STEP:
            self._rings_at = NEVER
            self._ring()
        elif self._rings_at != NEVER:
            self._sleep()


def _ring_for_nobody() -> None:
    """In place of `ring`, after `stop`: the alarm may still be set."""
