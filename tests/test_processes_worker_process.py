"""A worker as the supervisor sees it."""

import asyncio
import os
import signal

from gateway.processes.worker_process import WorkerProcess
from tests.parts.served import workers_of
from tests.parts.waiting import until


async def test_a_start_that_is_cancelled() -> None:
    """Whenever the end comes, no process is left: not even one that cannot see that it is alone."""
    steps = 0
    while not await _start_is_quicker_than(steps):
        await until(lambda: not workers_of(os.getpid()))
        steps += 1
    assert steps > 2


async def _start_is_quicker_than(steps: int) -> bool:
    """Whether a start ends within `steps` turns of the loop; else it is cancelled after them."""
    starting = asyncio.create_task(WorkerProcess.start([]))
    for _ in range(steps):
        await asyncio.sleep(0)
    if starting.done():
        starting.result().kill()
        await starting.result().wait()
        return True
    for worker in workers_of(os.getpid()):
        os.kill(worker, signal.SIGSTOP)
    starting.cancel()
    await asyncio.wait([starting])
    assert starting.cancelled()
    return False
