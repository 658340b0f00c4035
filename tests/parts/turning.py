"""Whether the loop goes on turning while something is asked."""

import asyncio
import gc
import time
from collections.abc import Coroutine
from typing import Any

_TICK = 0.001


async def longest_turn(asking: Coroutine[Any, Any, object]) -> float:
    """The most that the loop's thread works without a break until `asking` is done, as a part of
    all the work of the process: CPU time, so that others on the machine do not matter.

    Garbage is not collected meanwhile, as that of all tests before would be.
    """
    gc.disable()
    try:
        return await _longest_turn(asking)
    finally:
        gc.enable()


async def _longest_turn(asking: Coroutine[Any, Any, object]) -> float:
    task = asyncio.ensure_future(asking)
    began, last, longest = time.process_time(), time.thread_time(), 0.0
    while not task.done():
        await asyncio.sleep(_TICK)
        now = time.thread_time()
        longest, last = max(longest, now - last), now
    await task
    return longest / (time.process_time() - began)
