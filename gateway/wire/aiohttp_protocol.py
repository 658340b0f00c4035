"""aiohttp's protocol for a connection, with the limits that aiohttp leaves open.

aiohttp reads the requests and runs the application on them. What is added: a deadline and a size
for every head, a client that takes nothing of its answer, and errors in an API's envelope.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import cast

from aiohttp import EMPTY_PAYLOAD, StreamReader, web
from aiohttp.http import RawRequestMessage
from aiohttp.http_exceptions import BadHttpMessage, LineTooLong

from gateway.envelope import Envelope
from gateway.errors import BadRequest, GatewayError
from gateway.wire.alarm import Alarm
from gateway.wire.conformance import head_too_large, judge, refused
from gateway.wire.framing import Framing
from gateway.wire.limits import MAX_FIELDS, MAX_HEAD, Limits, Progress, Surplus
from gateway.wire.refusal import half_close, late_head, refusal
from gateway.wire.trusted_proxies import TrustedProxies, is_secure
from gateway.wire.unsent import close, unsent

_Handle = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class ClientProtocol(web.RequestHandler):
    """One client connection that aiohttp serves."""

    __slots__ = (
        *("_alarm", "_body", "_framing", "_head_is_due", "_head_size", "_is_body_broken"),
        *("_download", "_is_proxied", "_is_stopped", "_limits", "_proxies", "_socket", "_surplus"),
    )

    def __init__(self, server: web.Server, limits: Limits, proxies: TrustedProxies) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=limits.idle,
            access_log=None,  # type: ignore[arg-type]  # which is how aiohttp spells "none"
            auto_decompress=False,
            lingering_time=limits.linger_most,
            max_line_size=MAX_HEAD,
            max_field_size=MAX_HEAD,
            max_headers=MAX_FIELDS,
        )
        self._limits = limits
        self._proxies = proxies
        self._is_proxied = False
        self._alarm = Alarm(self._loop, self._time_out)
        self._download = Progress(limits.answer, limits.rate)
        self._surplus: Surplus | None = None  # from the last answer on
        self._framing = Framing()
        self._body = EMPTY_PAYLOAD
        self._is_stopped = False
        self._is_body_broken = False
        self._head_is_due = True
        self._head_size = 0

    @property
    def is_ending(self) -> bool:
        """Whether the request under way is the last one."""
        return self._close or (self._framing.has_ended and not self._messages)

    @property
    def is_sending(self) -> bool:
        """Whether the client has yet to take what was written."""
        return unsent(self._socket) > 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        # aiohttp forgets its transport when it closes it, unsent bytes or not.
        self._socket = cast(asyncio.Transport, transport)
        self._is_proxied = self._proxies.trust(_host(self.peername))
        self._set_alarm(self._limits.head)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._alarm.stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not data:  # aiohttp tells itself to go on with what it has
            if not self._is_body_broken:  # or it fails once more
                super().data_received(data)
        elif self._surplus is not None:
            self._surplus.add(len(data))
        elif not self._close and not self._framing.has_ended:
            self._read(data)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._download.start(unsent(self._socket))
        self._set_alarm(self._limits.answer)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._download.start(0)  # what was left then says nothing of what will be
        self._set_alarm(self._limits.answer)

    def begin(self, request: web.BaseRequest) -> web.BaseRequest:
        """A request's turn has come; it is given back as its client sent it to a trusted proxy."""
        self._body = request.content
        if not self._is_proxied:
            return request
        headers = list(request.raw_headers)
        client = self._proxies.client(headers, request.remote or "")
        scheme = "https" if is_secure(headers) else request.scheme
        return request.clone(remote=client, scheme=scheme)

    def stop(self) -> None:
        """Take no further request; one under way may end."""
        self._is_stopped = True
        if self._awaits_head():
            close(self._socket)  # before aiohttp does, which in TLS would wait for the client
            self.force_close()

    async def shutdown(self, timeout: float | None = 15.0) -> None:  # noqa: ASYNC109  # aiohttp's
        """End with the server."""
        await super().shutdown(timeout)
        self._socket.abort()

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send the rest of an answer; the head after it may have begun meanwhile.

        After the last one the connection is taken from aiohttp, which would close it at once.
        """
        if self._is_stopped:
            resp.force_close()
        done = await super().finish_response(request, resp, start_time)
        if not done[0].keep_alive and self._socket.can_write_eof():
            request.content.feed_eof()
            self.transport = None
            self._leave()
        elif self._framing.is_in_head and not self._head_is_due:
            self._head_is_due = True
            self._set_alarm(self._limits.head)
        return done

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to bytes that are no request: the client's fault, so nothing is logged.

        Nor is a client that left; aiohttp ends such a connection by itself.
        """
        if isinstance(exc, ConnectionError):
            raise exc
        if status != 400 or request.writer.output_size > 0:
            return super().handle_error(request, status, exc, message)
        return refused(_malformed(exc), Envelope.OPENAI)

    def _read(self, data: bytes) -> None:
        awaited = self._awaits_head()
        for piece in self._framing.pieces(data):
            super().data_received(piece)
        if awaited:
            self._take_head(len(data))
        if (self._framing.has_ended or self._has_failed()) and self._surplus is None:
            self._end()

    def _end(self) -> None:
        """Nothing more is read: what is half there will not come whole."""
        self._framing.has_ended = True
        bodies = (self._body, *(body for _, body in self._messages))
        half = next((body for body in bodies if not body.is_eof()), None)
        if half is not None:
            if self._has_failed():
                self._messages.pop()  # that was this body, and no request behind it
            self._is_body_broken = True
            half.set_exception(web.RequestPayloadError("it is not framed as HTTP/1.1 has it"))
            half.feed_eof()
        elif self._awaits_head():
            self._refuse(refusal(BadRequest("This is not HTTP/1.1")))

    def _has_failed(self) -> bool:
        """Whether aiohttp has given up on what came last; it queues that like a request."""
        return bool(self._messages) and not isinstance(self._messages[-1][0], RawRequestMessage)

    def _awaits_head(self) -> bool:
        """Whether no request is under way. Before aiohttp's first turn it has no waiter yet."""
        waiter = self._waiter
        return self._request_count == 0 or (waiter is not None and not waiter.done())

    def _take_head(self, size: int) -> None:
        """More of a head has come: all of it, or its clock runs on."""
        if self._awaits_head():
            self._head_grew(size)
            return
        self._head_is_due, self._head_size = False, 0
        if not self.writing_paused:
            self._set_alarm(self._limits.answer)

    def _head_grew(self, size: int) -> None:
        self._head_size += size
        if self._head_size > MAX_HEAD:
            self._refuse(refusal(head_too_large()))
        elif not self._head_is_due:
            self._head_is_due = True
            self._set_alarm(self._limits.head)

    def _time_out(self) -> None:
        """The client owes a head, or takes nothing of an answer; aiohttp sees to idle ones."""
        surplus = self._surplus
        is_over = surplus is not None or self._socket.is_closing()
        if self.writing_paused or (is_over and self.is_sending):
            self._check_download()
        elif surplus is not None and surplus.goes_on(self._loop.time()):
            self._set_alarm(self._limits.linger)
        elif is_over:
            self._socket.abort()
        elif self._awaits_head() and self._head_is_due:
            self._end_wait()
        else:
            self._set_alarm(self._limits.answer)

    def _end_wait(self) -> None:
        if self._head_size or self._framing.is_in_head:
            self._refuse(late_head(self._limits.head))
        else:
            self.force_close()

    def _check_download(self) -> None:
        if self._download.is_enough(unsent(self._socket)):
            self._set_alarm(self._limits.answer)
        else:
            self._socket.abort()

    def _refuse(self, answer: bytes) -> None:
        """Send `answer` outside aiohttp, which has no request under way and gets no other."""
        self._socket.write(answer)
        self._leave()

    def _leave(self) -> None:
        """Discard what the client still sends, until it ends the connection; not for long."""
        self.close()
        self._surplus = Surplus(self._limits, self._loop.time())
        if not self._socket.is_closing():
            half_close(self._socket)
            self._set_alarm(self._limits.linger)

    def _set_alarm(self, seconds: float) -> None:
        self._alarm.set(self._loop.time() + seconds)


def protocols(
    server: web.Server, limits: Limits, proxies: TrustedProxies
) -> Callable[[], ClientProtocol]:
    """Makes the protocols of an application's server; requests that break HTTP do not reach it."""
    server.request_handler = partial(_judged, server.request_handler)
    server.request_factory = partial(_begun, server.request_factory)
    return partial(ClientProtocol, server, limits, proxies)


async def _judged(handle: _Handle, request: web.BaseRequest) -> web.StreamResponse:
    return judge(request) or await handle(request)


def _begun(
    make: Callable[..., web.BaseRequest],
    message: RawRequestMessage,
    body: StreamReader,
    protocol: ClientProtocol,
    *rest: object,
) -> web.BaseRequest:
    return protocol.begin(make(message, body, protocol, *rest))


def _host(peername: object) -> str:
    """The address of a socket's other end; empty where it has none."""
    return str(peername[0]) if isinstance(peername, tuple) else ""


def _malformed(error: BaseException | None) -> GatewayError:
    """What aiohttp's parser found, as one of Hearth's errors."""
    if isinstance(error, LineTooLong):
        return head_too_large()
    text = error.message if isinstance(error, BadHttpMessage) else ""
    if text.startswith("Too many headers"):  # which has no class of its own
        return head_too_large()
    return BadRequest(f"This is not HTTP/1.1: {text.partition(chr(10))[0].rstrip(':')}")
