"""The loads, each made by a process beside the program, on the other core."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from bench.clients.constant import Latencies
from bench.clients.firsts import FirstChunks
from bench.clients.streams import Begun, Chunks
from bench.processes import first_line, running, tail

CONNECTIONS = 64
"""To the program at once, in the closed and the constant load."""

_LUA = Path(__file__).parent / "wrk.lua"
_SLACK = 30.0


class LoadError(Exception):
    """The load could not be made, or the program did not answer it; the text says how."""


class Answered(msgspec.Struct, frozen=True):
    """Of a closed load: requests answered with 200 in `seconds`, and those that were not."""

    requests: int
    seconds: float
    errors: int

    @property
    def rate(self) -> float:
        """Answered requests per second."""
        return self.requests / self.seconds


class Load:
    """Makes load for the program on `port`; `core` is where, `folder` takes logs and templates."""

    def __init__(self, port: int, core: int, folder: Path) -> None:
        self._port = port
        self._core = core
        self._folder = folder

    def closed(self, template: bytes, seconds: float, users: int) -> Answered:
        """As many requests as the program can take, each connection waiting for its answer."""
        url = f"http://127.0.0.1:{self._port}"
        whole = max(1, round(seconds))  # wrk counts whole seconds
        options = ("-t1", f"-c{CONNECTIONS}", f"-d{whole}s", "--timeout", "30s")
        command = ["wrk", *options, "-s", str(_LUA), url, "--", self._file(template), str(users)]
        return msgspec.json.decode(self._run(command, whole), type=Answered)

    def constant(self, template: bytes, rate: float, seconds: float, users: int) -> Latencies:
        """`rate` requests a second, for the latency at that rate."""
        arguments = (self._file(template), users, rate, seconds, CONNECTIONS)
        return msgspec.json.decode(self._client("constant", seconds, *arguments), type=Latencies)

    def firsts(self, template: bytes, seconds: float) -> FirstChunks:
        """One short stream after the other, for the time to the first chunk."""
        output = self._client("firsts", seconds, self._file(template), seconds)
        return msgspec.json.decode(output, type=FirstChunks)

    @contextmanager
    def streams(self, template: bytes, streams: int, seconds: float) -> "Iterator[StreamLoad]":
        """Many streams at once, which last for as long as the context is open."""
        command = self._python("streams", self._file(template), streams, seconds)
        log = self._folder / "streams.log"
        with running(command, self._core, log) as process:
            yield StreamLoad(process, log, seconds)

    def _client(self, name: str, seconds: float, *arguments: object) -> str:
        return self._run(self._python(name, *arguments), seconds)

    def _python(self, name: str, *arguments: object) -> list[str]:
        command = (sys.executable, "-m", f"bench.clients.{name}", self._port, *arguments)
        return [str(part) for part in command]

    def _run(self, command: list[str], seconds: float) -> str:
        """The last line a load prints."""
        log = self._folder / "load.log"
        with running(command, self._core, log) as process:
            try:
                code = process.wait(seconds + _SLACK)
            except subprocess.TimeoutExpired as error:
                raise LoadError(f"the load did not end within {seconds + _SLACK:g} s") from error
        if code:
            raise LoadError(tail(log, 1))
        return tail(log, 1)

    def _file(self, template: bytes) -> str:
        path = self._folder / "template.http"
        path.write_bytes(template)
        return str(path)


class StreamLoad:
    """Streams that a process of ours has open."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, seconds: float) -> None:
        self._process = process
        self._log = log
        self._seconds = seconds

    def begun(self) -> int:
        """Wait until the streams have brought a chunk each; how many did."""
        line = first_line(self._log, _SLACK)
        try:
            return msgspec.json.decode(line, type=Begun).streams
        except msgspec.DecodeError as error:
            raise LoadError(tail(self._log, 1)) from error

    def chunks(self) -> Chunks:
        """Wait for the end; what came since they had begun."""
        if self._process.wait(self._seconds + _SLACK):
            raise LoadError(tail(self._log, 1))
        return msgspec.json.decode(tail(self._log, 1), type=Chunks)


def await_ready(load: Load, template: bytes, within: float) -> None:
    """Return when a request is answered; LoadError when none is `within` seconds."""
    until = time.monotonic() + within
    while True:
        try:
            load.constant(template, 10, 0.1, 1)
        except LoadError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return
