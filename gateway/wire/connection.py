"""One connection to a provider: a request goes out, the answer comes back read by read."""

import asyncio
from collections.abc import Callable
from typing import Final, cast

from gateway.config import Timeouts
from gateway.errors import ConnectionLost, TimedOut
from gateway.wire.alarm import NEVER, Alarm
from gateway.wire.answer_parser import AnswerParser
from gateway.wire.driver import Pause
from gateway.wire.keepalive import keep_alive
from gateway.wire.response import Response, Sink

_JOINED: Final = 64 * 1024  # up to this size a copy is cheaper than a second write


class WentStale(ConnectionLost):
    """A kept connection ended before a byte of the answer came: the request may go out again."""


class Connection(asyncio.Protocol):
    """Carries one exchange at a time, and waits for the next one in between.

    `peer` names the provider in errors. `kept_for` are the seconds that it waits for its next
    exchange. `on_free` is called when it may carry one, `on_lost` when it is gone.
    """

    def __init__(
        self,
        peer: str,
        timeouts: Timeouts,
        kept_for: float,
        on_free: Callable[["Connection"], None],
        on_lost: Callable[["Connection"], None],
    ) -> None:
        self._peer = peer
        self._first_byte: float = timeouts.first_byte
        self._idle: float = timeouts.idle
        self._kept_for = kept_for
        self._on_free = on_free
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._now = self._loop.time
        self._alarm = Alarm(self._loop, self._time_out)
        self._answer = AnswerParser()
        self._response: Response | None = None
        self._sink: Sink | None = None
        self._waiter: Pause | None = None
        self._gone: asyncio.Future[None] = self._loop.create_future()
        self._error: Exception | None = None
        self._is_busy = False
        self._was_used = False
        self._is_paused = False  # by who takes the answer
        self._is_held = False  # by us, as nobody takes it yet

    @property
    def is_closing(self) -> bool:
        """Whether it is of no use any more."""
        return self._transport.is_closing()

    async def exchange(self, head: bytes, body: bytes) -> Response:
        """Send a request, complete head and body; returns the answer's head.

        Raises ConnectionLost (WentStale where the request is safe to repeat), TimedOut or
        ProtocolError; then, and when it is cancelled, the connection is closed.
        """
        waiter = self._begin(head, body)
        try:
            await waiter
        except asyncio.CancelledError:
            self.close()
            raise
        answer = self._answer
        self._response = Response(self, answer.status, answer.headers, answer.length)
        return self._response

    def relay(self, sink: Sink) -> Pause | None:
        """Give `sink` what is here, then every read; done with the last, None if that was all."""
        self._sink = sink
        self._hand_over(sink)
        if self._response is None:
            return None
        waiter = Pause()
        if self._error is not None:
            waiter.end(self._error)
            return waiter
        if self._is_held:
            self._is_held = False
            self._read_on()
        self._waiter = waiter
        return waiter

    def pause(self) -> None:
        """Stop reading."""
        self._is_paused = True
        self._stop_reading()

    def resume(self) -> None:
        """Read on."""
        self._is_paused = False
        self._read_on()

    def leave(self) -> None:
        """The answer is not wanted any more: free when nothing of it is to come, else closed."""
        if self._answer.complete:
            self._finish()
        else:
            self.close()

    def close(self) -> None:
        """Close at once; an exchange on it fails."""
        self._fail(ConnectionLost(f"{self._peer}: closed before the answer ended"))

    async def wait_closed(self) -> None:
        """Return when the transport is gone."""
        await asyncio.shield(self._gone)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        keep_alive(transport.get_extra_info("socket"))

    def data_received(self, data: bytes) -> None:
        if not self._is_busy:
            self.close()  # nobody asked: an answer to nothing must not be the next request's
            return
        self._answer.feed(data)
        if self._sink is not None and not self._is_paused:
            self._alarm.set(self._now() + self._idle)
        self._advance()

    def eof_received(self) -> None:
        # On uvloop a TLS connection cut off without close_notify comes to connection_lost only,
        # so that nobody on the way can end an answer early: RFC 9112 section 9.8.
        if self._is_busy and self._answer.end():
            self._advance()

    def connection_lost(self, exc: Exception | None) -> None:
        kind = WentStale if self._was_used and not self._answer.began else ConnectionLost
        reason = f" ({exc})" if exc else ""
        self._fail(kind(f"{self._peer}: the connection ended before the answer did{reason}"))
        self._gone.set_result(None)
        self._on_lost(self)

    def _begin(self, head: bytes, body: bytes) -> Pause:
        self._is_busy = True
        self._answer.expect(bodiless=head.startswith(b"HEAD "))
        self._alarm.set(self._now() + self._first_byte)
        self._waiter = waiter = Pause()
        if len(body) <= _JOINED:
            self._transport.write(head + body)
        else:
            self._transport.write(head)
            self._transport.write(body)
        return waiter

    def _advance(self) -> None:
        """Turn what was read into what its reader waits for: the head, or a piece of the body."""
        if self._sink is not None:
            self._hand_over(self._sink)
        elif self._waiter is not None:
            self._meet_head()
        elif not self._answer.complete:
            self._is_held = True
            self._stop_reading()

    def _meet_head(self) -> None:
        answer = self._answer
        if answer.error is not None:
            self._fail(answer.error)
        elif answer.status:
            self._alarm.set(NEVER if answer.complete else self._now() + self._idle)
            self._wake()

    def _hand_over(self, sink: Sink) -> None:
        answer = self._answer
        data = answer.take()
        if data or answer.complete:
            try:
                sink(data, answer.complete)
            except Exception as error:  # noqa: BLE001  # raised where the relay is awaited
                self._fail(error)
                return
        if answer.complete:
            self._finish()
        elif answer.error is not None:
            self._fail(answer.error)

    def _finish(self) -> None:
        """The answer is complete and was taken; the connection is kept if it is clean."""
        if self._response is None:
            return
        self._response.detach()
        self._response = self._sink = None
        self._is_busy = False
        self._was_used = True
        waiter, self._waiter = self._waiter, None
        sent = self._transport.get_write_buffer_size() == 0
        if self._answer.keep_alive and sent and self._error is None:
            self._rest()
        else:
            self.close()
        if waiter is not None:
            waiter.end()  # last, as its next exchange may begin here and now

    def _rest(self) -> None:
        if self._is_paused or self._is_held:
            self._is_paused = self._is_held = False
            self._read_on()
        self._alarm.set(self._now() + self._kept_for)
        self._on_free(self)

    def _fail(self, error: Exception) -> None:
        """Close, and tell whoever waits, now or when asked for the rest; the first error counts."""
        self._error = self._error or error
        self._is_busy = False
        self._sink = None
        self._alarm.stop()
        self._transport.abort()
        self._wake(self._error)

    def _wake(self, error: Exception | None = None) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            waiter.end(error)

    def _time_out(self) -> None:
        if not self._is_busy:
            self.close()
        elif self._answer.status:
            limit = self._idle
            self._fail(TimedOut(f"{self._peer}: nothing more of the answer for {limit:g} s"))
        else:
            limit = self._first_byte
            self._fail(TimedOut(f"{self._peer}: no answer within {limit:g} s"))

    def _stop_reading(self) -> None:
        if not self._transport.is_closing():
            self._transport.pause_reading()
            self._alarm.set(NEVER)

    def _read_on(self) -> None:
        if not (self._is_paused or self._is_held or self._transport.is_closing()):
            self._transport.resume_reading()
            self._alarm.set(self._now() + self._idle)
