"""A worker as the supervisor sees it."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

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


async def test_all_threads_of_a_worker_share_a_heap(monkeypatch: pytest.MonkeyPatch) -> None:
    """It starts with one, or with as many as the environment of the supervisor says."""
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    assert await _environment_of_a_worker() == os.environ | {"MALLOC_ARENA_MAX": "1"}
    monkeypatch.setenv("MALLOC_ARENA_MAX", "4")
    assert await _environment_of_a_worker() == os.environ


async def _environment_of_a_worker() -> dict[str, str]:
    worker = await WorkerProcess.start([])
    await until(lambda: bool(workers_of(os.getpid())))  # its program is there a moment before
    [pid] = workers_of(os.getpid())
    found = _environment_of(pid)
    worker.kill()
    await worker.wait()
    return found


def _environment_of(pid: int) -> dict[str, str]:
    """What a process was started with: proc_pid_environ(5)."""
    lines = Path(f"/proc/{pid}/environ").read_text().split("\0")
    return dict(line.partition("=")[::2] for line in lines if line)
