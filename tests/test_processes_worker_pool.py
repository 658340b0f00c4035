"""The workers of a supervisor: who is in which slot."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from gateway.metrics.snapshot import Snapshot
from gateway.processes.hub import Hub
from gateway.processes.shared_sockets import SharedSockets
from gateway.processes.worker_pool import WorkerPool
from gateway.processes.worker_process import StartFailed, WorkerProcess
from tests.parts.calls import DONE, HELLO, STREAM, at, ends_at
from tests.parts.certificates import tls_section
from tests.parts.gateways import build_config
from tests.parts.raw_client import connected, post
from tests.parts.raw_provider import serving
from tests.parts.waiting import until


@asynccontextmanager
async def pool_of(sockets: SharedSockets, hub: Hub) -> AsyncIterator[WorkerPool]:
    """A pool without workers yet; those it has at the end are stopped."""
    with closing(sockets):
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
    async with pool_of(SharedSockets(config.server), hub) as pool:
        serving = asyncio.create_task(pool.serve(config))
        await until(lambda: len(hub.workers) == 2)
        first, second = sorted(hub.workers, key=pid_of)
        os.kill(pid_of(second), signal.SIGSTOP)
        await first.wait_ready()
        first.kill()
        await until(lambda: first not in hub.workers)
        os.kill(pid_of(second), signal.SIGCONT)
        with pytest.raises(StartFailed, match=f"{first} ended while others started"):
            await serving
        await until(lambda: not hub.workers)


async def test_one_that_nobody_understands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A worker of another version, as after an upgrade under a running supervisor, is killed, and
    replaced like one that died."""
    stranger = tmp_path / "python"
    stranger.write_text(
        f"#!{sys.executable}\n"
        "import os, signal, sys\n"
        "os.write(int(sys.argv[4]), bytes([0, 0, 0, 1, 0xC1]))\n"
        "signal.pause()\n"
    )
    stranger.chmod(0o755)
    config = build_config(tmp_path, [{"name": "a", "base_url": "http://127.0.0.1:1"}])
    hub = Hub(Snapshot)
    async with pool_of(SharedSockets(config.server), hub) as pool:
        await pool.serve(config)
        [first] = hub.workers
        with monkeypatch.context() as patched:
            patched.setattr(sys, "executable", str(stranger))
            first.kill()
            await until(lambda: bool(hub.workers - {first}))
            [second] = hub.workers
        await until(lambda: bool(hub.workers - {second}))
        [third] = hub.workers
        await third.wait_ready()
    assert f"{second} cannot be understood, and is killed" in caplog.text
    assert f"{second} exited with {-signal.SIGKILL} and is replaced" in caplog.text


async def test_one_that_cannot_go_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The log says why a worker ended by itself after it was ready, such as for want of its
    certificate."""
    nowhere = {"name": "a", "base_url": "http://127.0.0.1:1"}
    config = build_config(tmp_path, [nowhere], server={"tls": tls_section(tmp_path)})
    (tmp_path / "certificate.pem").unlink()
    hub = Hub(Snapshot)
    async with pool_of(SharedSockets(config.server), hub) as pool:
        await pool.serve(config)
        [worker] = hub.workers
        await until(lambda: worker not in hub.workers)
    assert f"{worker} cannot go on: [Errno 2] No such file or directory" in caplog.text


async def test_the_end_of_one_that_retired(tmp_path: Path) -> None:
    """Its calls have the `server.drain` that it was started with, however short that of the others
    is."""
    stopping = asyncio.Event()
    async with serving(ends_at(stopping)) as provider:
        long, short = (
            build_config(tmp_path, [at(provider)], server={"drain": drain})
            for drain in ("1m", "1ms")
        )
        sockets, hub = SharedSockets(long.server), Hub(Snapshot)
        async with pool_of(sockets, hub) as pool:
            await pool.serve(long)
            [retired] = hub.workers
            async with connected(sockets.address) as client:
                client.send(post(STREAM))
                _, headers = await client.head()
                pieces = client.pieces(headers)
                assert await anext(pieces) == HELLO
                await pool.serve(short)
                sockets.close()
                ending = asyncio.create_task(pool.stop(0))
                await until(lambda: hub.workers == {retired})
                stopping.set()
                assert [piece async for piece in pieces] == [DONE, b""]
                await ending
