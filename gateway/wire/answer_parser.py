"""Answers out of bytes: the client's side of RFC 9112 on httptools (llhttp), without any I/O.

llhttp already refuses what lets two readers disagree about where an answer ends: Content-Length
together with Transfer-Encoding or twice, folded lines, blanks before a colon, bare LF.
"""

from typing import Final

import httptools

from gateway.calls.head import Headers
from gateway.errors import ProtocolError

MAX_UNPRODUCTIVE: Final = 64 * 1024
"""Bytes that may come in a row without a byte of a body: head, chunk extensions or trailers."""

_SPACE: Final = 0x20


class _Finished(Exception):
    """The answer has ended, and what follows is not part of it; stops the parser."""


class AnswerParser:
    """Reads the answers that come on one connection, one after the other.

    `status` is 0 until the head is complete; interim answers (1xx) are skipped, trailers dropped.
    `length` is the Content-Length, None without one. `complete` comes with the last byte of the
    body; only then `keep_alive` can be true: the connection may carry another exchange. `error`
    says what is wrong with the bytes, once something is; what was read before it stays readable.
    """

    __slots__ = (
        *("complete", "error", "headers", "keep_alive", "length", "status"),
        *("_asks", "_bodiless", "_body", "_chunked", "_fields", "_more", "_parser"),
        "_unproductive",
    )

    def __init__(self) -> None:
        self._body = b""
        self._more: list[bytes] = []
        self._fields: Headers = []
        self.headers: Headers = []
        self.expect(bodiless=False)
        self._parser = httptools.HttpResponseParser(self)

    def expect(self, *, bodiless: bool) -> None:
        """Forget the last answer; the next one is to a HEAD request if `bodiless`.

        The connection does not outlive an answer to HEAD: llhttp cannot be told that the length
        in its head announces nothing.
        """
        if self._body or self._fields:  # as after a body nobody took, and after trailers
            self.take()
            self._fields = []
        self._bodiless = bodiless
        self._chunked = False
        self._asks = False  # to keep the connection, or to close it
        self._unproductive = 0
        self.status = 0
        self.length: int | None = None
        self.complete = False
        self.keep_alive = False
        self.error: ProtocolError | None = None

    @property
    def began(self) -> bool:
        """Whether a single byte of the answer has come."""
        return bool(self.status or self._unproductive)

    def feed(self, data: bytes) -> None:
        """Read on; the outcome is in the attributes."""
        self._unproductive += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._stop(error)
        if self._body:
            self._unproductive = 0
        elif self._unproductive > MAX_UNPRODUCTIVE and not self.complete:
            self.error = self.error or _too_large()

    def end(self) -> bool:
        """The connection ended in order; whether that ends the answer (RFC 9112 section 6.3)."""
        delimits = bool(self.status) and self.length is None and not self._chunked
        self.complete = self.complete or (delimits and self.error is None)
        return self.complete

    def take(self) -> bytes:
        """What has come of the body since the last time."""
        data, self._body = self._body, b""
        if self._more:
            data = b"".join([data, *self._more])
            self._more.clear()
        return data

    def on_message_begin(self) -> None:
        if self.complete:
            raise _Finished

    def on_header(self, name: bytes, value: bytes) -> None:
        if value and value[-1] <= _SPACE:
            value = value.rstrip(b" \t")
        self._fields.append((name, value))

    def on_body(self, data: bytes) -> None:
        if not self.status:
            raise ProtocolError("an interim answer has a body, where there can be none")
        if self._body:
            self._more.append(data)
        else:
            self._body = data

    def on_headers_complete(self) -> None:
        if self._unproductive > MAX_UNPRODUCTIVE and _size(self._fields) > MAX_UNPRODUCTIVE:
            raise _too_large()
        fields, self._fields = self._fields, []
        status = self._parser.get_status_code()
        if status == 101:
            raise ProtocolError("the provider switches protocols, which was not asked for")
        if status == 407:
            raise ProtocolError("a proxy before the provider wants credentials of Hearth's own")
        if status < 200:
            return
        self.headers = fields
        self._read_framing()
        self.status = status
        if self._bodiless:
            self.complete = True
            raise _Finished

    def on_message_complete(self) -> None:
        if self.status:
            self.complete = True
            self.keep_alive = self._parser.should_keep_alive() and not self._is_outdated()

    def _is_outdated(self) -> bool:
        """Whether an answer that keeps its connection is of HTTP/1.0, which has to ask for that.

        A Transfer-Encoding makes its framing doubtful (section 6.1), and trailers may ask as well.
        """
        return (self._asks or self._chunked) and self._parser.get_http_version() != "1.1"

    def _read_framing(self) -> None:
        for name, value in self.headers:
            size = len(name)
            if size == 14 and name.lower() == b"content-length":
                self.length = int(value)
            elif size in (10, 16) and name.lower().endswith(b"connection"):
                self._asks = True  # `Proxy-Connection` as well: llhttp obeys both
            elif size == 17 and name.lower() == b"transfer-encoding":
                # No other coding may come, as none was named in TE: section 7.4.
                if self._chunked or value.lower() != b"chunked":
                    raise ProtocolError("the answer's Transfer-Encoding is not just `chunked`")
                self._chunked = True

    def _stop(self, error: Exception) -> None:
        self.keep_alive = False
        if not self.complete:
            cause = error.__context__  # what a callback raised
            known = cause if isinstance(cause, ProtocolError) else None
            self.error = known or ProtocolError(f"not HTTP/1.1: {error}")


def _size(fields: Headers) -> int:
    return sum(len(name) + len(value) for name, value in fields)


def _too_large() -> ProtocolError:
    return ProtocolError(f"the answer's head is larger than {MAX_UNPRODUCTIVE} bytes")
