"""The head of an answer as bytes (RFC 9112 section 4): status line, fields, framing."""

from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Final

from gateway.calls.head import Headers

_CHUNKED: Final = b"Transfer-Encoding: chunked\r\n"


def has_body(status: int) -> bool:
    """Whether an answer to a POST with this status has a body (RFC 9110 section 6.4.1)."""
    return status != 204 and status != 304


def answer_head(
    status: int, headers: Headers, length: int | None, now: float, *, keep_alive: bool
) -> bytes:
    """Everything up to the empty line; without a `length` the body is to be chunked.

    `now`, seconds since the epoch, is the Date of an answer that has none.
    """
    parts = [_STATUS_LINES.get(status) or _status_line(status)]
    is_dated = False
    for name, value in headers:
        parts.append(b"%b: %b\r\n" % (name, value))
        is_dated = is_dated or (len(name) == 4 and name.lower() == b"date")
    if not is_dated:
        parts.append(_date(int(now)))
    if not keep_alive:
        parts.append(b"Connection: close\r\n")
    if has_body(status):
        parts.append(_CHUNKED if length is None else b"Content-Length: %d\r\n" % length)
    parts.append(b"\r\n")
    return b"".join(parts)


def _status_line(status: int) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return f"HTTP/1.1 {status} {phrase}\r\n".encode()


_STATUS_LINES: Final = {status.value: _status_line(status.value) for status in HTTPStatus}


@lru_cache(maxsize=2)
def _date(second: int) -> bytes:
    return f"Date: {formatdate(second, usegmt=True)}\r\n".encode()
