"""One answer of the fast edge: head, body and framing, as they go onto the wire."""

import asyncio
from collections.abc import Callable
from time import time
from typing import Final

from gateway.calls.head import Headers
from gateway.wire.answer_head import answer_head, has_body
from gateway.wire.downstream import Flow
from gateway.wire.outbox import Outbox

_CHUNK_STARTS: Final = [b"%x\r\n" % size for size in range(1024)]
"""Those of tokens, made once."""


class WireAnswer:
    """The Downstream of one request; its head shares a write with the first piece.

    `close` is called after an answer that is the connection's last: `keep_alive` is false, or it is
    cut.
    """

    def __init__(
        self,
        outbox: Outbox,
        transport: asyncio.Transport,
        close: Callable[[], None],
        *,
        keep_alive: bool,
    ) -> None:
        self._outbox = outbox
        self._transport = transport
        self._close = close
        self._keep_alive = keep_alive
        self._head = b""
        self._chunked = False
        self._has_body = True
        self._flow: Flow | None = None
        self._is_paused = False

    def start(self, status: int, headers: Headers, length: int | None) -> None:
        self._has_body = has_body(status)
        self._chunked = self._has_body and length is None
        self._head = answer_head(status, headers, length, time(), keep_alive=self._keep_alive)

    def write(self, data: bytes) -> None:
        if not self._has_body:
            return
        if self._chunked:
            data = b"%b%b\r\n" % (_chunk_start(len(data)), data)
        self._send(data)

    def flush(self) -> None:
        self._send()

    def finish(self) -> None:
        if self._chunked:
            self._send(b"0\r\n\r\n")
        elif self._head:
            self._send()
        if not self._keep_alive:
            self._close()

    def cut(self) -> None:
        self._send()
        self._close()

    def connect_flow(self, flow: Flow | None) -> None:
        self._flow = flow
        if flow is not None and self._is_paused:
            flow.pause()

    def pause(self) -> None:
        """The client reads slower than the provider writes."""
        self._is_paused = True
        if self._flow is not None:
            self._flow.pause()

    def resume(self) -> None:
        """The client has caught up."""
        self._is_paused = False
        if self._flow is not None:
            self._flow.resume()

    def _send(self, data: bytes = b"") -> None:
        """Send what is left of the head, and `data` with it."""
        if self._head:
            data, self._head = self._head + data, b""
        if data:
            self._outbox.write(self._transport, data)


def _chunk_start(size: int) -> bytes:
    return _CHUNK_STARTS[size] if size < len(_CHUNK_STARTS) else b"%x\r\n" % size
