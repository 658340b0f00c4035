"""The head of a hot request: a plain POST with one Content-Length, strictly HTTP/1.1.

Whatever is not exactly that, malformed heads included, is left to aiohttp, so there is one place
that judges it.
"""

import httptools
import msgspec

from gateway.request import Headers

MAX_HEAD = 32 * 1024
"""Bytes of a request's line and fields that the fast edge reads before it hands over."""

_LEFT_TO_AIOHTTP = frozenset(
    (b"transfer-encoding", b"expect", b"upgrade", b"content-encoding", b"trailer")
)


class RequestHead(msgspec.Struct, frozen=True):
    """A hot request as far as its empty line. `length` is that of its body in bytes."""

    target: str
    headers: Headers
    length: int
    keep_alive: bool


class _Collector:
    """llhttp's callbacks for the bytes of one head."""

    def __init__(self) -> None:
        self.url = b""
        self.headers: Headers = []
        self.complete = False
        self.went_on = False

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self.went_on = self.complete
        self.complete = True

    def on_body(self, body: bytes) -> None:
        self.went_on = True


def parse_head(raw: bytes) -> RequestHead | None:
    """The head in `raw`, which ends with the first empty line; None when it is not hot."""
    seen = _Collector()
    parser = httptools.HttpRequestParser(seen)
    try:
        parser.feed_data(raw)
    except httptools.HttpParserError:
        return None
    if not seen.complete or seen.went_on or parser.get_http_version() != "1.1":
        return None
    length = _length(seen.headers)
    if length is None or parser.get_method() != b"POST" or not seen.url.startswith(b"/"):
        return None
    return RequestHead(seen.url.decode("latin-1"), seen.headers, length, parser.should_keep_alive())


def _length(headers: Headers) -> int | None:
    """The Content-Length of a head with one Host and one length, and nothing that is not hot."""
    length, hosts = None, 0
    for name, value in headers:
        lower = name.lower()
        if lower == b"content-length":
            if length is not None or not value.isdigit():
                return None
            length = int(value)
        elif lower == b"host":
            hosts += 1
        elif lower in _LEFT_TO_AIOHTTP:
            return None
    return length if hosts == 1 else None
