"""A provider that does to the byte what its scripts say."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from gateway.config import Timeouts
from gateway.units import Duration
from gateway.wire.upstream import KEPT_FOR, MAX_KEPT, Upstream
from tests.parts.resets import reset_at_close
from tests.parts.waiting import PATIENCE

_LET_GO_WITHIN = KEPT_FOR - 10
"""Seconds for a client to close its connections: in some more it would, had it forgotten to."""

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


class Peer:
    """The provider's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.requests = 0

    async def head(self) -> bytes:
        """Wait for the head of a request; its body is not read."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        self.requests += 1
        return head

    async def read(self, size: int) -> bytes:
        return await self._reader.readexactly(size)

    def send(self, data: bytes) -> None:
        """Write; ConnectionResetError when the client has left."""
        # Between a connection's end and word of it to the reader, uvloop raises a RuntimeError.
        if self._writer.is_closing():
            raise ConnectionResetError
        self._writer.write(data)

    async def is_stalled(self, seconds: float) -> bool:
        """Whether the client took nothing more of what was sent for this long."""
        try:
            await asyncio.wait_for(self._writer.drain(), seconds)
        except TimeoutError:
            return True
        return False

    def close(self) -> None:
        self._writer.close()

    def abort(self) -> None:
        """End without TLS's close_notify, in order as far as TCP knows."""
        self._writer.transport.abort()

    def reset(self) -> None:
        """End with a TCP reset."""
        reset_at_close(self._writer.get_extra_info("socket"))
        self._writer.transport.abort()

    async def wait_closed(self) -> None:
        """Return when the client has closed; whatever it still sent is skipped."""
        try:
            while await asyncio.wait_for(self._reader.read(65536), PATIENCE):
                pass
        except ConnectionError:
            pass


Script = Callable[[Peer], Awaitable[None]]


class RawProvider:
    """Runs its n-th script on its n-th connection, and the last one on all that follow."""

    def __init__(self, *scripts: Script) -> None:
        self.peers: list[Peer] = []
        self._scripts = scripts
        self._upstreams: list[Upstream] = []
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def connections(self) -> int:
        """How many there were."""
        return len(self.peers)

    @property
    def requests(self) -> int:
        """How many heads came, on all connections."""
        return sum(peer.requests for peer in self.peers)

    async def wait_closed(self) -> None:
        """Return when every connection's script has ended, most of which wait for the client."""
        await asyncio.wait_for(asyncio.gather(*self._tasks), _LET_GO_WITHIN)

    def upstream(
        self,
        base_url: str = "http://127.0.0.1",
        ssl_context: ssl.SSLContext | None = None,
        kept_for: float = KEPT_FOR,
        max_kept: int = MAX_KEPT,
        **timeouts: float,
    ) -> Upstream:
        """A client of this provider, closed with it."""
        limits = Timeouts(**{name: Duration(limit) for name, limit in timeouts.items()})
        url = f"{base_url}:{self.port}"
        upstream = Upstream(url, limits, ssl_context, kept_for=kept_for, max_kept=max_kept)
        self._upstreams.append(upstream)
        return upstream

    @asynccontextmanager
    async def running(self, tls: ssl.SSLContext | None = None) -> AsyncIterator["RawProvider"]:
        """Serve, with TLS if given, and close everything; raises what went wrong in a script."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=tls)
        self.port: int = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            for upstream in self._upstreams:
                await upstream.close()
            server.close()
            await self.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        script = self._scripts[min(self.connections, len(self._scripts) - 1)]
        self.peers.append(Peer(reader, writer))
        self._tasks.append(asyncio.ensure_future(self._run(script, self.peers[-1])))

    async def _run(self, script: Script, peer: Peer) -> None:
        try:
            await script(peer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client left, which ends every script
        finally:
            peer.close()


def serving(*scripts: Script) -> AbstractAsyncContextManager[RawProvider]:
    """A provider that runs while the context lasts."""
    return RawProvider(*scripts).running()


def answers(*answers: bytes) -> Script:
    """Send one of `answers` to each request in turn, then wait for the client to close."""

    async def script(peer: Peer) -> None:
        for answer in answers:
            await peer.head()
            peer.send(answer)
        await peer.wait_closed()

    return script


def closes_after(*answers: bytes) -> Script:
    """As `answers`, but the provider closes."""

    async def script(peer: Peer) -> None:
        for answer in answers:
            await peer.head()
            peer.send(answer)

    return script
