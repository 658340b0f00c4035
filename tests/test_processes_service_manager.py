"""What systemd hears of the gateway, on a socket like the one that it would listen on."""

import asyncio
import os
import select
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.processes.service_manager import READY, ServiceManager
from tests.parts.commands import running_hearth, write_config
from tests.parts.rlimits import no_more_files
from tests.parts.waiting import PATIENCE


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[socket.socket]:
    """A service manager's end; it does not wait for ever."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as inlet:
        inlet.bind(str(tmp_path / "notify"))
        inlet.settimeout(PATIENCE)
        yield inlet


def test_abstract_socket() -> None:
    """Its name begins with a zero byte, and an @ where it is written down."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as inlet:
        inlet.bind(f"\0hearth-{os.getpid()}")
        ServiceManager({"NOTIFY_SOCKET": f"@hearth-{os.getpid()}"}).notify(READY)
        assert inlet.recv(100) == b"READY=1"


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": "/nowhere/notify"}])
def test_nobody_listens(
    environ: dict[str, str], heard: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    """What is lost is no failure, says nothing in the log, and does not reach anybody else."""
    ServiceManager(environ).notify(READY)
    assert caplog.messages == []
    assert not is_heard(heard)


def test_out_of_descriptors(tmp_path: Path, heard: socket.socket) -> None:
    """It is lost as well, and the next one is not: a beat that failed would end all others."""
    manager = ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "notify")})
    with no_more_files():
        manager.notify(READY)
    assert not is_heard(heard)
    manager.notify(READY)
    assert is_heard(heard)


def is_heard(inlet: socket.socket) -> bool:
    """Whether anything has come."""
    return bool(select.select([inlet], [], [], 0)[0])


@pytest.mark.parametrize("environ", [{}, {"WATCHDOG_USEC": "100", "WATCHDOG_PID": "1"}])
async def test_nobody_watches(
    environ: dict[str, str], heard: socket.socket, tmp_path: Path
) -> None:
    """Without a watchdog, or with one for another process, there is no beat."""
    manager = ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "notify"), **environ})
    await asyncio.wait_for(manager.beat(), 5)
    assert not is_heard(heard)


async def test_a_life(tmp_path: Path, heard: socket.socket) -> None:
    """It is ready when it serves, beats while it does, and says when it ends."""
    config, address = write_config(tmp_path), str(tmp_path / "notify")
    async with running_hearth(
        *("serve", "-c", config, "--port", "0"), NOTIFY_SOCKET=address, WATCHDOG_USEC="400000"
    ) as gateway:
        before = await asyncio.to_thread(_until, heard, b"READY=1")
        await gateway.says("listens on")
        beats = [await asyncio.to_thread(heard.recv, 100) for _ in range(3)]
        assert await gateway.end(signal.SIGTERM) == 0
    after = _until(heard, b"STOPPING=1")
    assert {*before, *beats, *after} == {b"WATCHDOG=1"}


def _until(inlet: socket.socket, state: bytes) -> list[bytes]:
    """What was heard before `state`."""
    return list(iter(lambda: inlet.recv(100), state))
