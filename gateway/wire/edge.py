"""The fast edge: takes the hot case off the wire itself and hands every other to aiohttp.

One protocol per connection. It reads a head, then as many bytes of body as the head says, and runs
the proxy on them, one request after the other; what a client pipelines waits its turn. The first
request that is not hot takes its connection, with the bytes already read, to aiohttp's own
protocol, and there it stays.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, cast

from gateway.endpoint import Target
from gateway.request import Request
from gateway.wire.alarm import NEVER, Alarm
from gateway.wire.downstream import Downstream
from gateway.wire.request_head import MAX_HEAD, RequestHead, parse_head
from gateway.wire.wire_answer import WireAnswer

_WRITE_HIGH = 256 * 1024
_READ_AHEAD = 64 * 1024


class Edge(asyncio.Protocol):
    """One client connection, as long as its requests are hot."""

    def __init__(self, listener: "Listener") -> None:
        self._listener = listener
        self._peer = ""
        self._buffer = b""
        self._incoming: _Incoming | None = None
        self._answer: WireAnswer | None = None
        self._task: asyncio.Task[None] | None = None
        self._read_paused = False
        self._write_paused = False
        self._last_request = False
        self._is_lost = False
        self._loop = asyncio.get_running_loop()
        self._alarm = Alarm(self._loop, self.abort)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's classes.
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=_WRITE_HIGH)
        address = transport.get_extra_info("peername")
        self._peer = str(address[0]) if isinstance(address, tuple) else ""
        self._listener.entered(self)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._alarm.stop()
        self._is_lost = True
        if self._task is None:
            self._listener.left(self)
        else:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        if self._incoming is not None:
            self._wait()
            self._incoming.add(data)
            self._run_if_complete(self._incoming)
            return
        self._buffer = self._buffer + data if self._buffer else data
        if self._task is None and not self._write_paused:
            self._read_head()
        elif len(self._buffer) > _READ_AHEAD:
            self._read_paused = True
            self._transport.pause_reading()

    def pause_writing(self) -> None:
        self._write_paused = True
        if self._answer is not None:
            self._answer.pause()

    def resume_writing(self) -> None:
        self._write_paused = False
        if self._answer is not None:
            self._answer.resume()
        else:
            self._go_on()

    def stop(self) -> None:
        """Take no further request; one under way may end."""
        self._last_request = True
        if self._task is None and self._incoming is None:
            self._transport.close()

    def abort(self) -> None:
        """End at once, and with it the answer under way."""
        self._transport.abort()

    def _read_head(self) -> None:
        end = self._buffer.find(b"\r\n\r\n") + 4
        if end < 4 and len(self._buffer) <= MAX_HEAD:
            return
        head = parse_head(self._buffer[:end]) if 4 <= end <= MAX_HEAD else None
        target = self._listener.route(head.target) if head else None
        if head is None or target is None or head.length > self._listener.max_body:
            self._hand_over()
            return
        rest, self._buffer = self._buffer[end:], b""
        self._incoming = _Incoming(head, target)
        self._incoming.add(rest)
        self._run_if_complete(self._incoming)

    def _hand_over(self) -> None:
        """From here on aiohttp serves this connection."""
        self._alarm.stop()
        self._listener.left(self)
        protocol = self._listener.fallback()
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        protocol.data_received(self._buffer)

    def _run_if_complete(self, incoming: "_Incoming") -> None:
        if incoming.missing > 0:
            return
        self._incoming = None
        self._alarm.set(NEVER)
        request, self._buffer = incoming.take(self._peer)
        keep_alive = incoming.head.keep_alive and not self._last_request
        self._answer = WireAnswer(self._transport, keep_alive=keep_alive)
        work = self._listener.handle(request, incoming.target, self._answer)
        self._task = self._loop.create_task(work)
        self._task.add_done_callback(self._answered)

    def _answered(self, task: asyncio.Task[None]) -> None:
        self._task = self._answer = None
        if self._is_lost:
            self._listener.left(self)
        elif task.cancelled():
            self._transport.abort()
        elif task.exception() is not None or self._last_request:
            # An error nobody expected: the loop's handler logs it, the client sees a cut.
            self._transport.close()
            task.result()
        else:
            self._wait()
            self._go_on()

    def _go_on(self) -> None:
        """Turn to the next request, unless the client has not yet taken the last answers."""
        if self._write_paused or self._transport.is_closing():
            return
        if self._read_paused:
            self._read_paused = False
            self._transport.resume_reading()
        if self._buffer:
            self._read_head()

    def _wait(self) -> None:
        """For so long the client may keep the connection and send nothing."""
        self._alarm.set(self._loop.time() + self._listener.patience)


class _Incoming:
    """A hot request whose body is still coming."""

    def __init__(self, head: RequestHead, target: Target) -> None:
        self.head = head
        self.target = target
        self.missing = head.length
        self._pieces: list[bytes] = []
        self._received_at = time.time_ns() // 1000
        self._started = time.monotonic()

    def add(self, data: bytes) -> None:
        self._pieces.append(data)
        self.missing -= len(data)

    def take(self, peer: str) -> tuple[Request, bytes]:
        """The whole request, and what came after it."""
        whole = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        length = self.head.length
        body, rest = (whole, b"") if len(whole) == length else (whole[:length], whole[length:])
        request = Request(
            method="POST",
            target=self.head.target,
            headers=self.head.headers,
            body=body,
            peer=peer,
            received_at=self._received_at,
            started=self._started,
        )
        return request, rest


class Listener:
    """What the connections of one listening socket share.

    `route` gives the target of a POST that goes to a provider, None for anything else; `handle`
    answers it; `fallback` makes aiohttp's protocol for a connection. A client that owes a request
    and sends nothing for `patience` seconds is disconnected.
    """

    def __init__(
        self,
        route: Callable[[str], Target | None],
        handle: Callable[[Request, Target, Downstream], Coroutine[Any, Any, None]],
        fallback: Callable[[], asyncio.Protocol],
        max_body: int,
        patience: float,
    ) -> None:
        self.route = route
        self.handle = handle
        self.fallback = fallback
        self.max_body = max_body
        self.patience = patience
        self._edges: set[Edge] = set()
        self._all_left = asyncio.Event()

    def entered(self, edge: Edge) -> None:
        """A connection is this edge's to serve."""
        self._edges.add(edge)
        self._all_left.clear()

    def left(self, edge: Edge) -> None:
        """It is closed and its last call settled, or it is aiohttp's."""
        self._edges.discard(edge)
        if not self._edges:
            self._all_left.set()

    async def drain(self, seconds: float) -> None:
        """Close what waits, let answers under way finish, and end those that take longer."""
        if not self._edges:
            return
        for edge in tuple(self._edges):
            edge.stop()
        try:
            async with asyncio.timeout(seconds):
                await self._all_left.wait()
        except TimeoutError:
            for edge in tuple(self._edges):
                edge.abort()
            await self._all_left.wait()
