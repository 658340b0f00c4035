"""Runs the coroutine of a call without a task: in the callbacks that bring what it waits for.

A task takes a turn of the event loop for its first step, for every wait and for its end, and for
each of them the loop copies a context and makes a handle: more than it costs to read a request.
"""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from typing import Any, Final

_OVER: Final = object()
_next: Final = next  # which compiled code would look up among the builtins each time


class Pause:
    """One wait of one coroutine, until somebody ends it.

    A coroutine that a Driver runs goes on within `end`. In a task it goes on a turn later: what a
    task asks of a future, it finds here.
    """

    def __init__(self) -> None:
        self._asyncio_future_blocking = True  # which says to a task that this is a future
        self._is_over = False
        self._error: BaseException | None = None
        self._driver: Driver | None = None
        self._callback: Callable[[Pause], object] | None = None
        self._context: Context | None = None

    def __await__(self) -> Generator[Any, None, None]:
        if not self._is_over:
            yield self
        if self._error is not None:
            raise self._error

    def end(self, error: BaseException | None = None) -> None:
        """Let the coroutine go on, or raise `error` where it waits; only the first end counts."""
        if self._is_over:
            return
        self._is_over = True
        self._error = error
        if self._driver is not None:
            self._driver.go_on(self)
        elif self._callback is not None:
            self.get_loop().call_soon(self._callback, self, context=self._context)
            self._callback = None  # which leads to the task, and so back here

    def cancel(self, msg: object = None) -> bool:
        """End it with CancelledError; false if it is over."""
        is_first = not self._is_over
        self.end(asyncio.CancelledError())
        return is_first

    def bind(self, driver: "Driver") -> None:
        """Have its coroutine go on within the end, which is still to come."""
        self._driver = driver

    def add_done_callback(
        self, callback: Callable[["Pause"], object], *, context: Context | None = None
    ) -> None:
        """Have `callback` called in the turn after the end."""
        self._callback, self._context = callback, context

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """The running one."""
        return asyncio.get_running_loop()

    def result(self) -> None:
        """Nothing; an error is raised where it is awaited."""


class Driver:
    """Runs coroutines, one at a time; `ended` is told how each ended: None, or its error.

    They wait for a Pause or for any future. There is no current task and no context of their own:
    what asks for one, as asyncio.timeout and aiohttp's client do, or sets a context variable, is to
    be a task that they wait for.
    """

    def __init__(self, ended: Callable[[BaseException | None], None]) -> None:
        self._ended = ended
        self._steps: Generator[Any, None, None] | None = None
        self._awaited: Any = None

    @property
    def is_busy(self) -> bool:
        """Whether a coroutine is under way."""
        return self._steps is not None

    def run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Begin; returns when the coroutine waits or has ended."""
        self._steps = steps = coroutine.__await__()
        self._step(steps)

    def cancel(self) -> None:
        """Raise CancelledError where the coroutine waits; a task that it waits for ends first."""
        awaited, steps = self._awaited, self._steps
        if steps is None or awaited is None or awaited.cancel():
            return
        self._awaited = None  # it is over, but the word of it is still on its way
        self._step(steps, asyncio.CancelledError())

    def forget(self) -> None:
        """Run no more, and let go of `ended`, whose owner mostly holds this."""
        self._ended = _tell_nobody

    def go_on(self, awaited: object) -> None:
        """What its coroutine waited for is over."""
        steps = self._steps
        if steps is not None and awaited is self._awaited:
            self._awaited = None
            self._step(steps)

    def _step(
        self, steps: Generator[Any, None, None], error: asyncio.CancelledError | None = None
    ) -> None:
        try:
            awaited = _next(steps, _OVER) if error is None else _throw(steps, error)
        except (Exception, asyncio.CancelledError) as failure:  # noqa: BLE001  # handed on
            self._end(failure)
        else:
            if awaited is _OVER:
                self._end(None)
            else:
                self._wait_for(awaited)

    def _wait_for(self, awaited: Any) -> None:
        self._awaited = awaited
        if isinstance(awaited, Pause):
            awaited.bind(self)
        else:
            awaited._asyncio_future_blocking = False  # as a task says that it has taken note
            awaited.add_done_callback(self.go_on)

    def _end(self, error: BaseException | None) -> None:
        self._steps = None
        self._ended(error)


def _throw(steps: Generator[Any, None, None], error: asyncio.CancelledError) -> object:
    """As `next` does, but with `error` where it waits."""
    try:
        return steps.throw(error)
    except StopIteration:
        return _OVER


def _tell_nobody(error: BaseException | None) -> None:
    """In place of `ended`, after `forget`."""
