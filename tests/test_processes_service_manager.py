"""What systemd hears of the gateway, on a socket like the one that it would listen on."""

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.processes.service_manager import READY, ServiceManager
from tests.commands import running_hearth, write_config


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[socket.socket]:
    """A service manager's end; it waits for five seconds at most."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as inlet:
        inlet.bind(str(tmp_path / "notify"))
        inlet.settimeout(5)
        yield inlet


def test_abstract_socket() -> None:
    """Its name begins with a zero byte, and an @ where it is written down."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as inlet:
        inlet.bind(f"\0hearth-{os.getpid()}")
        ServiceManager({"NOTIFY_SOCKET": f"@hearth-{os.getpid()}"}).tell(READY)
        assert inlet.recv(100) == b"READY=1"


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": "/nowhere/notify"}])
def test_nobody_listens(environ: dict[str, str]) -> None:
    """That is nobody's trouble."""
    ServiceManager(environ).tell(READY)


@pytest.mark.parametrize("environ", [{}, {"WATCHDOG_USEC": "100", "WATCHDOG_PID": "1"}])
async def test_nobody_watches(environ: dict[str, str]) -> None:
    """Without a watchdog, or with one for another process, there is no beat."""
    await asyncio.wait_for(ServiceManager(environ).beat(), 1)


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
