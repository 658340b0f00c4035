"""A worker as the supervisor sees it: a process, and a channel to it."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Self

from gateway.processes.channel import Channel, Drain, Message, Retire, ToWorker

_STARTING = 60.0
"""Seconds that a worker may take until it is ready."""


class StartFailed(Exception):
    """A worker could not begin; the text says why."""


class WorkerProcess:
    """One worker process. `is_retiring`: others with a newer configuration have taken its place."""

    def __init__(self, process: asyncio.subprocess.Process, channel: Channel) -> None:
        self._process = process
        self._channel = channel
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ticks = 0
        self.is_retiring = False

    def __repr__(self) -> str:
        return f"worker {self._process.pid}"

    @classmethod
    async def start(cls, sockets: Sequence[socket.socket]) -> Self:
        """Start a process that serves on `sockets` once it is told `Start`.

        OSError when there cannot be another.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            channel = await Channel.open(ours)
            descriptors = [each.fileno() for each in (theirs, *sockets)]
            try:
                # The last await: a cancellation after it would leave a process behind.
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-P", "-m", "gateway.processes", *map(str, descriptors)),
                    pass_fds=descriptors,
                    stdin=asyncio.subprocess.DEVNULL,
                )
            except (OSError, asyncio.CancelledError):
                await channel.close()
                raise
        return cls(process, channel)

    async def wait_ready(self) -> None:
        """Return when it is ready. Raises StartFailed when it will not be."""
        try:
            async with asyncio.timeout(_STARTING):
                await asyncio.shield(self._ready)
        except TimeoutError:
            raise StartFailed(f"{self} is not ready after {_STARTING:.0f} seconds") from None

    def mark_ready(self) -> None:
        """It has said that it is."""
        if not self._ready.done():
            self._ready.set_result(None)

    def mark_failed(self, reason: str) -> None:
        """It cannot go on. Where it was not ready yet, `wait_ready` raises StartFailed(reason)."""
        if not self._ready.done():
            self._ready.set_exception(StartFailed(reason))
            self._ready.exception()  # else asyncio logs it where nobody waits

    def send(self, message: ToWorker) -> None:
        """Queue a message; nothing happens when the process is gone."""
        self._channel.send(message)

    async def messages(self) -> AsyncIterator[Message]:
        """Those it sends, until it is gone."""
        async for message in self._channel.messages():
            self._ticks = 0
            yield message

    @property
    def is_ready(self) -> bool:
        """Whether it has begun, or ended before."""
        return self._ready.done()

    def tick(self) -> int:
        """Count a tick of the supervisor; returns how many there were since the last message.

        Before it is ready none counts: `wait_ready` has a limit of its own.
        """
        self._ticks += self.is_ready
        return self._ticks

    def retire(self) -> None:
        """Have it exit when its connections have ended."""
        self.is_retiring = True
        self.send(Retire())

    def drain(self) -> None:
        """Have it finish what is under way, and exit."""
        self.send(Drain())

    def kill(self) -> None:
        """End it at once."""
        with suppress(ProcessLookupError):
            self._process.kill()

    async def wait(self) -> int:
        """Wait until it has exited; returns its `Process.returncode`."""
        code = await self._process.wait()
        await self._channel.close()
        self.mark_failed(f"{self} ended with {code} before it was ready")
        return code
