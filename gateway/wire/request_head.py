"""The head of a hot request: a plain POST with one Content-Length, strictly HTTP/1.1.

Whatever is not exactly that, malformed heads included, is left to aiohttp, so there is one place
that judges it.
"""

import re
from functools import lru_cache
from typing import NamedTuple

import httptools

from gateway.request import HEADS, Head, Headers
from gateway.wire.host import is_host
from gateway.wire.limits import MAX_FIELDS

_LEFT_TO_AIOHTTP = frozenset(
    (b"transfer-encoding", b"expect", b"upgrade", b"content-encoding", b"trailer")
)


_NUMBER = re.compile(rb"\r\ncontent-length: *(\d{1,15})\r\n", re.IGNORECASE)


class RequestHead(NamedTuple):
    """A hot request as far as its empty line. `length` is that of its body in bytes."""

    head: Head
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
    """The head in `raw`, which ends with the first empty line; None when it is not hot.

    The heads of one client differ in nothing but the length; it is read by itself, and the rest is
    remembered. What came with a length reads the same, and is as strictly checked, with another.
    """
    number = _NUMBER.search(raw)
    if number is None:
        return None
    start, end = number.span(1)
    read = _read(raw[:start] + b"1" + raw[end:])
    return RequestHead(read[0], int(number[1]), read[1]) if read else None


@lru_cache(maxsize=HEADS)
def _read(raw: bytes) -> tuple[Head, bool] | None:
    """A head with length 1, and whether its connection stays; None when it is not hot."""
    seen = _Collector()
    parser = httptools.HttpRequestParser(seen)
    try:
        parser.feed_data(raw)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade):
        return None
    if not seen.complete or seen.went_on or parser.get_http_version() != "1.1":
        return None
    if parser.get_method() != b"POST" or not seen.url.startswith(b"/"):
        return None
    head = Head("POST", seen.url.decode("latin-1"), seen.headers)
    return (head, parser.should_keep_alive()) if _is_plain(head) else None


def _is_plain(head: Head) -> bool:
    """Whether it has one good Host and one length, and nothing that is not hot."""
    names = [name.lower() for name, _ in head.headers]
    once = names.count(b"content-length") == 1 == names.count(b"host")
    if not once or len(names) > MAX_FIELDS or not is_host(head.fields[b"host"]):
        return False
    return _LEFT_TO_AIOHTTP.isdisjoint(head.fields)
