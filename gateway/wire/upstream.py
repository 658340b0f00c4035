"""The client of one provider: keep-alive connections, and the one retry that is always safe."""

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Final
from urllib.parse import quote, urlsplit

from gateway.config import Timeouts
from gateway.errors import ConnectFailed, NoConnection, TimedOut
from gateway.wire.connection import Connection, WentStale
from gateway.wire.response import Response

Send = Callable[[bytes, bytes], Awaitable[Response]]
"""`Upstream.send`, or what is to be used like it."""

SendMiddleware = Callable[[Send, bytes, bytes], Awaitable[Response]]
"""Sends a request by the Send it is given, and does something before and after."""

KEPT_FOR: Final = 30.0
"""Seconds a connection waits for its next request: less than the 60 that servers commonly do."""

MAX_KEPT: Final = 256
"""Connections to one provider that may wait for their next request."""

_EXHAUSTED: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
"""What connect(2) and socket(2) say of this side alone. Not EADDRNOTAVAIL: ports run out towards
one address, and where there is no such network at all, nobody is reached by it."""

_CALM: Final = 60.0
"""Seconds without a failure after which the next one is news."""

_log = logging.getLogger(__name__)


class Upstream:
    """One provider's connections. `send` opens as many as there are exchanges at a time.

    `base_url` is http or https, with an optional path. `ssl_context` is for https; absent, the
    system's certificates and the host name are verified. `middleware` is given every request to
    send. At most `max_kept` connections wait for their next request, each for `kept_for` seconds.
    `authority` is the value for Host, `base_path` what goes before every path, without a slash at
    its end.
    """

    def __init__(
        self,
        base_url: str,
        timeouts: Timeouts,
        ssl_context: ssl.SSLContext | None = None,
        middleware: SendMiddleware | None = None,
        *,
        kept_for: float = KEPT_FOR,
        max_kept: int = MAX_KEPT,
    ) -> None:
        parts = urlsplit(base_url)
        is_tls = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if is_tls else 80)
        self._peer = f"{self._host}:{self._port}"
        self._timeouts = timeouts
        self._ssl = (ssl_context or verifying_context()) if is_tls else None
        self._kept_for = kept_for
        self._max_kept = max_kept
        self._kept: list[Connection] = []  # last in, first out
        self._is_open = True
        self._exhausted_at = -_CALM
        self._middleware = middleware
        end = parts.netloc.rindex(":") if parts.port else len(parts.netloc)
        self.authority = parts.netloc[:end].encode("idna") + parts.netloc[end:].encode()
        self.base_path = quote(parts.path.rstrip("/"), safe="/%:@!$&'()*+,;=~").encode()

    def __repr__(self) -> str:
        return f"<Upstream {self._peer}, {len(self._kept)} connections kept>"

    async def send(self, head: bytes, body: bytes) -> Response:
        """Send a request, its head complete with the empty line; returns the answer's head.

        The first-byte timeout runs until the answer's head is complete. A request on a kept
        connection that turns out to have ended before a byte of the answer is sent once more, on
        a new one. Raises ConnectFailed, TimedOut, ConnectionLost or ProtocolError, and NoConnection
        where it is not the provider's fault.
        """
        if self._middleware is not None:
            return await self._middleware(self._send, head, body)
        return await self._send(head, body)

    async def close(self) -> None:
        """Keep no connection any more; exchanges under way end as they would have."""
        self._is_open = False
        kept = self._kept.copy()
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
            connection = await opening
        except asyncio.CancelledError:
            opening.add_done_callback(_close_opened)
            raise
        if connection.is_closing:
            raise ConnectFailed(f"{self._peer}: closed the connection as soon as it was made")
        return connection

    async def _open(self) -> Connection:
        limit = self._timeouts.connect
        clock = asyncio.timeout(limit)
        try:
            async with clock:
                _, connection = await asyncio.get_running_loop().create_connection(
                    self._new_connection,
                    self._host,
                    self._port,
                    ssl=self._ssl,
                    server_hostname=self._host if self._ssl else None,
                )
        except OSError as error:  # TimeoutError and everything of ssl are OSErrors
            if clock.expired():
                raise TimedOut(f"{self._peer}: not connected within {limit:g} s") from error
            if (lack := _lack(error)) is not None:
                self._tell(lack)
                raise NoConnection("Hearth cannot open a connection; its log says why") from error
            reason = error.strerror or str(error)
            raise ConnectFailed(f"{self._peer}: cannot connect: {reason}") from error
        return connection

    def _tell(self, lack: str) -> None:
        """Log what is lacking, once for as long as that lasts."""
        now = monotonic()
        if now - self._exhausted_at > _CALM:
            _log.error(
                "calls are refused, as no connection to %s can be opened: %s (LimitNOFILE or "
                "`ulimit -n`, and fs.file-max, limit the open files)",
                self._peer,
                lack,
            )
        self._exhausted_at = now

    def _new_connection(self) -> Connection:
        return Connection(self._peer, self._timeouts, self._kept_for, self._keep, self._drop)

    def _take(self) -> Connection | None:
        """The connection that waited least, as it is the most likely to be alive."""
        while self._kept:
            connection = self._kept.pop()
            if not connection.is_closing:
                return connection
        return None

    def _keep(self, connection: Connection) -> None:
        if self._is_open and len(self._kept) < self._max_kept:
            self._kept.append(connection)
        else:
            connection.close()

    def _drop(self, connection: Connection) -> None:
        if connection in self._kept:
            self._kept.remove(connection)


def _close_opened(opening: asyncio.Task[Connection]) -> None:
    """Close a connection that opened after its caller was cancelled."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


def _lack(error: OSError) -> str | None:
    """What this side has run out of, if that is why it could not connect; None for other reasons.

    A resolver that can open no file says that nobody has the name, so opening one is tried.
    """
    if isinstance(error, socket.gaierror):
        try:
            socket.socket().close()
        except OSError as lack:
            error = lack
    return error.strerror if error.errno in _EXHAUSTED else None


def verifying_context() -> ssl.SSLContext:
    """Verifies against the system's certificates; costs milliseconds, so providers share one."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
