"""How a command that runs for ever ends: Ctrl-C and SIGTERM end it with success."""

import asyncio
import signal
from collections.abc import Coroutine


async def until_signal(work: Coroutine[object, object, None]) -> None:
    """Run `work` to its end, or cancel it at the first signal; further ones change nothing.

    Cancelled work is awaited, so that whatever it opened is closed and deleted by then.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    working = asyncio.create_task(work)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
    for task in (working, stopping):
        task.cancel()
    await asyncio.wait((working, stopping))
    if not working.cancelled():
        working.result()
