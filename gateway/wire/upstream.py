"""The client of one provider: keep-alive connections, and the one retry that is always safe."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from urllib.parse import quote, urlsplit

from gateway.config import Timeouts
from gateway.errors import ConnectFailed, TimedOut
from gateway.wire.connection import Connection, WentStale
from gateway.wire.response import Response, Sink

__all__ = ["Response", "Send", "Sink", "Upstream", "Watch"]

Send = Callable[[bytes, bytes], Awaitable[Response]]
"""`Upstream.send`, or what is to be used like it."""

Watch = Callable[[Send, bytes, bytes], Awaitable[Response]]
"""Has a request sent by the Send it is given, and sees to what else there is to do."""

MAX_KEPT = 256
"""Connections to one provider that may wait for their next request."""


class Upstream:
    """One provider's connections. `send` opens as many as there are exchanges at a time.

    `base_url` is http or https, with an optional path. `ssl_context` is for https; absent, the
    system's certificates and the host name are verified. `watch` is given every request to send.
    `authority` is the value for Host, `base_path` what goes before every path, without a slash at
    its end.
    """

    def __init__(
        self,
        base_url: str,
        timeouts: Timeouts,
        ssl_context: ssl.SSLContext | None = None,
        watch: Watch | None = None,
    ) -> None:
        parts = urlsplit(base_url)
        is_tls = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if is_tls else 80)
        self._peer = f"{self._host}:{self._port}"
        self._timeouts = timeouts
        self._ssl = (ssl_context or verifying_context()) if is_tls else None
        self._kept: dict[Connection, None] = {}  # in the order they came, for last in, first out
        self._is_open = True
        self._watch = watch
        self.authority = parts.netloc.encode("idna")
        self.base_path = quote(parts.path.rstrip("/"), safe="/%:@!$&'()*+,;=~").encode()

    def __repr__(self) -> str:
        return f"<Upstream {self._peer}, {len(self._kept)} connections kept>"

    async def send(self, head: bytes, body: bytes) -> Response:
        """Send a request, its head complete with the empty line; returns the answer's head.

        The first-byte timeout runs until the answer's head is complete. A request on a kept
        connection that turns out to have ended before a byte of the answer is sent once more, on
        a new one. Raises ConnectFailed, TimedOut, ConnectionLost or ProtocolError.
        """
        if self._watch is not None:
            return await self._watch(self._send, head, body)
        return await self._send(head, body)

    async def close(self) -> None:
        """Keep no connection any more; exchanges under way end as they would have."""
        self._is_open = False
        kept = list(self._kept)
        for connection in kept:
            connection.close()
        for connection in kept:
            await connection.wait_closed()

    async def _send(self, head: bytes, body: bytes) -> Response:
        kept = self._take()
        if kept is not None:
            try:
                return await kept.exchange(head, body)
            except WentStale:
                pass  # providers close idle connections whenever they like: not a failure
        connection = await self._connect()
        return await connection.exchange(head, body)

    async def _connect(self) -> Connection:
        """In a task of its own, as a timeout needs one."""
        opening = asyncio.create_task(self._open())
        try:
            return await opening
        except asyncio.CancelledError:
            opening.add_done_callback(_close_opened)
            raise

    async def _open(self) -> Connection:
        limit = self._timeouts.connect
        clock = asyncio.timeout(limit)
        try:
            async with clock:
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: Connection(self._peer, self._timeouts, self._keep, self._drop),
                    self._host,
                    self._port,
                    ssl=self._ssl,
                    server_hostname=self._host if self._ssl else None,
                )
        except OSError as error:  # TimeoutError and everything of ssl are OSErrors
            if clock.expired():
                raise TimedOut(f"{self._peer}: not connected within {limit:g} s") from error
            reason = error.strerror or str(error)
            raise ConnectFailed(f"{self._peer}: cannot connect: {reason}") from error
        return connection

    def _take(self) -> Connection | None:
        """The connection that waited least, as it is the most likely to be alive."""
        while self._kept:
            connection, _ = self._kept.popitem()
            if not connection.is_closing:
                return connection
        return None

    def _keep(self, connection: Connection) -> None:
        if self._is_open and len(self._kept) < MAX_KEPT:
            self._kept[connection] = None
        else:
            connection.close()

    def _drop(self, connection: Connection) -> None:
        self._kept.pop(connection, None)


def _close_opened(opening: asyncio.Task[Connection]) -> None:
    """It was open when nobody wanted it any more."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


def verifying_context() -> ssl.SSLContext:
    """Verifies against the system's certificates; costs milliseconds, so providers share one."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
