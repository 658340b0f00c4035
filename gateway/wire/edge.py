"""The fast edge: takes the hot case off the wire itself and hands every other to aiohttp.

One protocol per connection. It reads a head, then as many bytes of body as the head says, and runs
the proxy on them, one request after the other; what a client pipelines waits its turn. The first
request that is not hot takes its connection, with the bytes already read, to aiohttp's own
protocol, and there it stays.
"""

import asyncio
from collections.abc import Callable
from typing import Final, cast

from gateway.calls.endpoint import Target
from gateway.calls.request import Request
from gateway.wire.alarm import NEVER, Alarm
from gateway.wire.driver import Driver
from gateway.wire.incoming import Incoming, request_now
from gateway.wire.limits import MAX_HEAD, Progress, Surplus
from gateway.wire.listener import Listener
from gateway.wire.refusal import half_close, late_body, late_head
from gateway.wire.request_head import HeadTemplate, RequestHead, parse_head
from gateway.wire.unsent import close, unsent
from gateway.wire.wire_answer import WireAnswer

_WRITE_HIGH: Final = 256 * 1024
_READ_AHEAD: Final = 64 * 1024


class Edge(asyncio.Protocol):
    """One client connection, as long as its requests are hot."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._limits = limits = listener.limits
        self._outbox = listener.outbox
        self._peer = ""
        self._is_proxied = False
        self._buffer = b""
        self._template: HeadTemplate | None = None
        self._target: Target | None = None
        self._incoming: Incoming | None = None
        self._answer: WireAnswer | None = None
        self._driver = Driver(self._answered)
        self._read_paused = False
        self._write_paused = False
        self._last_request = False
        self._is_retired = False
        self._is_lost = False
        self._surplus: Surplus | None = None  # from the last answer on
        self._head_is_due = True
        self._close_soon = self._close  # made once, as every answer is given it
        self._loop = asyncio.get_running_loop()
        self._now = self._loop.time
        self._idle = limits.idle
        self._alarm = Alarm(self._loop, self._time_out)
        self._upload = Progress(limits.body, limits.rate)
        self._download = Progress(limits.answer, limits.rate)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's classes.
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=_WRITE_HIGH)
        address = transport.get_extra_info("peername")
        self._peer = str(address[0]) if isinstance(address, tuple) else ""
        self._is_proxied = self._listener.proxies.trust(self._peer)
        self._listener.entered(self)
        self._set_alarm(self._limits.head)

    def connection_lost(self, exc: Exception | None) -> None:
        self._alarm.stop()
        self._is_lost = True
        if self._driver.is_busy:
            self._driver.cancel()
        else:
            self._let_go()

    def data_received(self, data: bytes) -> None:
        if self._surplus is not None:
            self._surplus.add(len(data))
            return
        if self._incoming is not None:
            self._incoming.add(data)
            if self._incoming.missing <= 0:
                self._complete(self._incoming)
            return
        is_next = self._head_is_due or not self._buffer  # else it is up to `_go_on`
        self._buffer = self._buffer + data if self._buffer else data
        if is_next and not (self._driver.is_busy or self._write_paused):
            self._read_head()
        if len(self._buffer) > _READ_AHEAD:
            self._read_paused = True
            self._transport.pause_reading()

    def pause_writing(self) -> None:
        self._write_paused = True
        self._download.start(unsent(self._transport))
        self._set_alarm(self._limits.answer)
        if self._answer is not None:
            self._answer.pause()

    def resume_writing(self) -> None:
        self._write_paused = False
        self._download.start(0)  # what was left then says nothing of what will be
        if self._answer is not None:
            self._alarm.set(NEVER)
            self._answer.resume()
        elif self._surplus is not None:
            self._linger()
        elif self._incoming is not None:
            self._set_alarm(self._limits.body)
        else:
            self._wait()
            self._head_is_due = False  # its time begins with the end of this answer
            self._go_on()

    def retire(self) -> None:
        """Take one more request at most: the answer to it says that it was the last."""
        self._is_retired = True

    def stop(self) -> None:
        """Take no further request; one under way may end."""
        self._last_request = True
        if not self._driver.is_busy and self._incoming is None:
            self._end()

    def abort(self) -> None:
        """End at once, and with it the answer under way."""
        self._transport.abort()

    def _read_head(self) -> None:
        data, target = self._buffer, self._target
        head = None if self._template is None else self._template.read(data)
        if head is None:
            end = data.find(b"\r\n\r\n") + 4
            if end < 4 and len(data) <= MAX_HEAD:
                self._await_head()
                return
            head = parse_head(data[:end]) if 4 <= end <= MAX_HEAD else None
            target = None if head is None else self._listener.route(head.head.target)
        if head is None or target is None or not self._is_welcome(head, len(data)):
            self._hand_over()
            return
        self._template, self._target = head.template, target
        self._buffer = b""
        self._begin(head, target, data[head.size :])

    def _is_welcome(self, head: RequestHead, received: int) -> bool:
        """Whether its body may take memory, if it is not here already."""
        if head.length > self._listener.max_body:
            return False
        return received - head.size >= head.length or self._listener.knows(head.head)

    def _begin(self, head: RequestHead, target: Target, body: bytes) -> None:
        """The head is read, and with it came `body`: all of it, as a rule."""
        peer = self._peer
        if self._is_proxied:
            peer = self._listener.proxies.client(head.head.headers, peer)
        request = request_now(head.head, body, peer)
        if len(body) == head.length:
            self._run(request, target, keep_alive=head.keep_alive)
            return
        incoming = Incoming(head, target, request)
        if incoming.missing > 0:
            self._incoming = incoming
            self._upload.start(incoming.missing)
            self._set_alarm(self._limits.body)
        else:
            self._complete(incoming)

    def _await_head(self) -> None:
        """Its deadline counts from its first byte; on a new connection it has begun before."""
        if not self._head_is_due:
            self._head_is_due = True
            self._set_alarm(self._limits.head)

    def _hand_over(self) -> None:
        """From here on aiohttp serves this connection, once the last answers are on their way."""
        self._outbox.flush()
        if self._write_paused:
            return  # `resume_writing` comes back here
        self._read_on()
        data = self._buffer
        self._let_go()
        protocol = self._listener.fallback()
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        protocol.data_received(data)

    def _let_go(self) -> None:
        """Break every reference back to this: what a lost connection holds, be it half a body or
        TLS, is freed at once, and need not wait for the garbage collector, which looks seldom."""
        self._alarm.stop()
        self._driver.forget()
        self._close_soon = _do_nothing
        self._incoming, self._buffer = None, b""
        self._listener.left(self)

    def _complete(self, incoming: Incoming) -> None:
        """All of its body is here, and maybe the next head."""
        self._incoming = None
        request, self._buffer = incoming.take()
        self._run(request, incoming.target, keep_alive=incoming.keep_alive)

    def _run(self, request: Request, target: Target, *, keep_alive: bool) -> None:
        self._head_is_due = False
        is_last = self._last_request or self._is_retired
        close = self._leave if is_last else self._close_soon
        self._answer = self._answering(close, keep_alive=keep_alive and not is_last)
        if self._write_paused:  # by the answer before, which went out after this request came
            self._answer.pause()
        else:
            self._alarm.set(NEVER)
        self._driver.run(self._listener.handle(request, target, self._answer))

    def _answering(self, close: Callable[[], None], *, keep_alive: bool) -> WireAnswer:
        return WireAnswer(self._outbox, self._transport, close, keep_alive=keep_alive)

    def _answered(self, error: BaseException | None) -> None:
        self._answer = None
        if error is not None:
            self._failed(error)
        elif self._is_lost:
            self._let_go()
        elif self._surplus is not None:
            self._linger()
        elif self._last_request:
            self._end()
        elif not self._write_paused:
            self._wait()
            # In a turn of its own: what is refused at once must not pile up on the stack.
            if self._buffer:
                self._loop.call_soon(self._go_on)

    def _failed(self, error: BaseException) -> None:
        """Nobody expected it, or it was cancelled: the client sees a cut."""
        if isinstance(error, Exception):
            self._report(error)
        else:
            error.__traceback__ = None  # of no use, and its frames hold the request, and each other
        if self._is_lost:
            self._let_go()
        elif isinstance(error, asyncio.CancelledError):
            self._transport.abort()
        else:
            self._end()

    def _report(self, error: Exception) -> None:
        """To the loop's handler, which logs it."""
        self._loop.call_exception_handler(
            {"message": f"A call failed: {error}", "exception": error, "protocol": self}
        )

    def _go_on(self) -> None:
        """Turn to the next request, unless the client has not yet taken the last answers."""
        if self._driver.is_busy or self._write_paused or self._is_ending:
            return
        if self._buffer:
            self._read_head()
        if len(self._buffer) <= _READ_AHEAD:
            self._read_on()

    def _read_on(self) -> None:
        if self._read_paused:
            self._read_paused = False
            self._transport.resume_reading()

    def _wait(self) -> None:
        """For so long the client may keep the connection and send nothing."""
        self._set_alarm(self._idle)

    def _set_alarm(self, seconds: float) -> None:
        self._alarm.set(self._now() + seconds)

    def _time_out(self) -> None:
        """The client owes something: to take an answer, a body, a head, or a request at all."""
        if unsent(self._transport):
            self._check_download()
        elif self._surplus is not None and self._surplus.goes_on(self._now()):
            self._set_alarm(self._limits.linger)
        elif self._incoming is not None:
            self._check_upload(self._incoming)
        elif self._buffer and not self._is_ending:
            self._outbox.write(self._transport, late_head(self._limits.head))
            self._leave()
        else:
            close(self._transport)

    def _end(self) -> None:
        """Close, and look soon whether the client has everything: then TLS need not wait for it."""
        self._close()
        self._linger()

    def _close(self) -> None:
        self._surplus = Surplus(self._limits, self._now())
        self._outbox.close(self._transport)

    @property
    def _is_ending(self) -> bool:
        return self._surplus is not None or self._transport.is_closing()

    def _leave(self) -> None:
        """Discard what a client still sends who could not know that this answer is the last."""
        self._surplus = Surplus(self._limits, self._now())
        self._buffer = b""
        self._outbox.flush()
        if not self._transport.is_closing():
            half_close(self._transport)
            self._read_on()
        self._linger()

    def _linger(self) -> None:
        """The client is to end the connection now; who still takes the answer has its own time."""
        if not self._write_paused:
            self._set_alarm(self._limits.linger)

    def _check_download(self) -> None:
        if self._download.is_enough(unsent(self._transport)):
            self._set_alarm(self._limits.answer)
        else:
            self.abort()

    def _check_upload(self, incoming: Incoming) -> None:
        if self._upload.is_enough(incoming.missing):
            self._set_alarm(self._limits.body)
            return
        self._incoming = None
        answer = self._answering(self._leave, keep_alive=False)
        error = late_body(self._limits)
        self._listener.refuse(incoming.without_body(), incoming.target, error, answer)


def _do_nothing() -> None:
    """Of a connection that is gone there is nothing to close."""
