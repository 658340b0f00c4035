"""The workers of a supervisor: who is in which slot."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from gateway.config import Config
from gateway.metrics.snapshot import Snapshot
from gateway.processes.hub import Hub
from gateway.processes.shared_sockets import SharedSockets
from gateway.processes.worker_pool import WorkerPool
from gateway.processes.worker_process import StartFailed, WorkerProcess
from tests.parts.gateways import build_config
from tests.parts.waiting import until


@asynccontextmanager
async def pool_of(config: Config, hub: Hub) -> AsyncIterator[WorkerPool]:
    """A pool without workers yet; those it has at the end are stopped."""
    with closing(SharedSockets(config.server)) as sockets:
        pool = WorkerPool(sockets, hub)
        try:
            yield pool
        finally:
            sockets.close()
            await pool.stop(5)


def pid_of(worker: WorkerProcess) -> int:
    """As its name in the log has it."""
    return int(repr(worker).split()[1])


async def test_one_dies_while_others_begin(tmp_path: Path) -> None:
    """A worker that was ready and is gone takes nobody's place: its slot would stay empty, and who
    connects there would wait for good."""
    nowhere = {"name": "a", "base_url": "http://127.0.0.1:1"}
    config = build_config(tmp_path, [nowhere], server={"workers": 2})
    hub = Hub(Snapshot)
    async with pool_of(config, hub) as pool:
        serving = asyncio.create_task(pool.serve(config))
        await until(lambda: len(hub.workers) == 2)
        first, second = sorted(hub.workers, key=pid_of)
        os.kill(pid_of(second), signal.SIGSTOP)
        await first.wait_ready()
        first.kill()
        await until(lambda: first not in hub.workers)
        os.kill(pid_of(second), signal.SIGCONT)
        with pytest.raises(StartFailed, match=f"{first} ended while others began"):
            await serving
        await until(lambda: not hub.workers)
