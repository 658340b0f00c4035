"""The edge that aiohttp serves: its requests and answers in the proxy's terms.

It takes everything: chunked uploads, `Expect`, HTTP/1.0, pipelining. The proxy writes without
waiting; what it wrote goes out here, at the client's pace.
"""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable
from typing import cast

from aiohttp import StreamReader, web
from aiohttp.http import SERVER_SOFTWARE, HttpVersion11

from gateway.calls.head import Head, Headers
from gateway.calls.parsed_fields import decode_field
from gateway.calls.request import Request
from gateway.errors import BadRequest, PayloadTooLarge, UnsupportedMediaType
from gateway.wire.aiohttp_protocol import ClientProtocol
from gateway.wire.conformance import forwarded, origin_form
from gateway.wire.downstream import Flow
from gateway.wire.incoming import request_now
from gateway.wire.limits import Limits, Progress
from gateway.wire.refusal import late_body

_HIGH_WATER = 256 * 1024
_LOW_WATER = 64 * 1024


def without_body(request: web.Request) -> Request:
    """The request as far as it is here: everything but its body."""
    return request_now(_head(request), b"", request.remote or "")


def _head(request: web.Request) -> Head:
    return Head(
        request.method,
        origin_form(request.raw_path),
        forwarded(request.method, list(request.raw_headers)),
        "1.0" if request.version < HttpVersion11 else "1.1",
    )


async def with_body(
    received: Request, request: web.Request, max_body: int, limits: Limits
) -> Request:
    """`received` with its whole body, as `read_body` reads it; UnsupportedMediaType if encoded."""
    codings = request.headers.getall("Content-Encoding", ())
    if any(coding.lower() != "identity" for coding in codings):
        raise UnsupportedMediaType("Send the body without a Content-Encoding")
    return received.with_body(await read_body(request, max_body, limits))


async def read_body(request: web.Request, max_body: int, limits: Limits) -> bytes:
    """The whole body as it came.

    PayloadTooLarge over `max_body` bytes; RequestTimeout when it comes slower than `limits` allow.
    """
    if (request.content_length or 0) > max_body:
        raise _too_large(max_body)
    return await _Upload(request.content, max_body).read(limits)


class _Upload:
    """A body on its way in."""

    def __init__(self, content: StreamReader, max_body: int) -> None:
        self._content = content
        self._max_body = max_body
        self._pieces: list[bytes] = []
        self._size = 0

    async def read(self, limits: Limits) -> bytes:
        """All of it; looks once a window whether enough of it came."""
        progress = Progress(limits.body, limits.rate)
        is_whole = False
        while not is_whole:
            try:
                async with asyncio.timeout(limits.body):
                    await self._read_on()
                is_whole = True
            except TimeoutError as error:
                if not progress.is_enough(-self._size):
                    raise late_body(limits) from error
        return b"".join(self._pieces)

    async def _read_on(self) -> None:
        try:
            while piece := await self._content.readany():
                self._pieces.append(piece)
                self._size += len(piece)
                if self._size > self._max_body:
                    raise _too_large(self._max_body)
            if (fault := self._content.exception()) is not None:
                raise fault  # which may come while nobody waits
        except web.RequestPayloadError as error:
            raise BadRequest(f"The body cannot be read: {error}") from error


def _too_large(max_body: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"The body is over {max_body} bytes, the most that is taken here")


class _Answer(web.StreamResponse):
    """An answer with the fields it was given, and no others but framing, connection and Date."""

    def __init__(self, status: int, headers: Headers) -> None:
        super().__init__(status=status)
        for name, value in headers:
            self.headers.add(name.decode("latin-1"), decode_field(value))
        self.is_typed = "Content-Type" in self.headers


async def drop_aiohttp_defaults(request: web.Request, response: web.StreamResponse) -> None:
    """Drop what aiohttp fills in, and say if it is the last answer.

    To be called on aiohttp's signal `on_response_prepare`.
    """
    if response.headers.get("Server") == SERVER_SOFTWARE:
        del response.headers["Server"]
    if _is_last(request):
        response.force_close()
        response.headers["Connection"] = "close"
    if isinstance(response, _Answer) and not response.is_typed:
        response.headers.pop("Content-Type", None)


def _is_last(request: web.Request) -> bool:
    """Whether no request may follow: what is left of a body must not be taken for one."""
    protocol = request.protocol
    is_ending = isinstance(protocol, ClientProtocol) and protocol.is_ending
    return is_ending or not request.content.is_eof()


class AiohttpDownstream:
    """One answer through aiohttp. The proxy fills it, `send` carries it to the client.

    `commit` makes safe what was recorded, before a byte goes out.
    """

    def __init__(self, request: web.Request, commit: Callable[[], None]) -> None:
        self._request = request
        self._commit = commit
        self._response: web.StreamResponse | None = None
        self._pieces: deque[bytes] = deque()
        self._queued = 0
        self._flow: Flow | None = None
        self._is_paused = False
        self._ended = False
        self._cut = False
        self._wake = asyncio.Event()

    def start(self, status: int, headers: Headers, length: int | None) -> None:
        self._response = _Answer(status, headers)
        self._response.content_length = length
        self._wake.set()

    def write(self, data: bytes) -> None:
        if self._request.method == "HEAD":
            return  # the length says what there would be; any byte would be the next answer's
        self._pieces.append(data)
        self._queued += len(data)
        if self._queued > _HIGH_WATER and self._flow is not None and not self._is_paused:
            self._is_paused = True
            self._flow.pause()
        self._wake.set()

    def flush(self) -> None:
        """Nothing to do: `send` writes whatever is queued as soon as it runs."""

    def finish(self) -> None:
        self._ended = True
        self._wake.set()

    def cut(self) -> None:
        self._cut = True
        self.finish()

    def connect_flow(self, flow: Flow | None) -> None:
        self._flow = flow
        self._is_paused = False

    async def send(self) -> web.StreamResponse:
        """Send what the proxy writes until it ends the answer; raises ConnectionError if it cannot.

        To be cancelled when the proxy will write no more.
        """
        while self._response is None:
            await self._wait()
        response = self._response
        await response.prepare(self._request)
        while self._pieces or not self._ended:
            while self._pieces:
                self._commit()
                await response.write(self._next_piece())
            if not self._ended:
                await self._wait()
        await self._close(response)
        return response

    async def _wait(self) -> None:
        self._wake.clear()
        await self._wake.wait()

    def _next_piece(self) -> bytes:
        piece = self._pieces.popleft()
        self._queued -= len(piece)
        if self._is_paused and self._queued < _LOW_WATER and self._flow is not None:
            self._is_paused = False
            self._flow.resume()
        return piece

    async def _close(self, response: web.StreamResponse) -> None:
        self._commit()
        if not self._cut:
            await response.write_eof()
        elif (transport := self._request.transport) is not None:
            if self._request.version < HttpVersion11 and response.content_length is None:
                _reset(transport)
            else:
                transport.close()


def _reset(transport: asyncio.BaseTransport) -> None:
    """Close with a TCP reset, where the connection's end would pass for the body's."""
    at_once = struct.pack("ii", 1, 0)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
    cast(asyncio.Transport, transport).abort()
