"""The head of a hot request: a plain POST with one Content-Length, strictly HTTP/1.1.

Whatever is not exactly that, malformed heads included, is left to aiohttp, so there is one place
that judges it.
"""

from functools import lru_cache
from typing import Final

import httptools

from gateway.calls.head import REMEMBERED_HEADS, Head, Headers, UserHead
from gateway.wire.host import is_host
from gateway.wire.limits import MAX_FIELDS, MAX_HEAD

_LEFT_TO_AIOHTTP = frozenset(
    (b"transfer-encoding", b"expect", b"upgrade", b"content-encoding", b"trailer")
)
_LENGTH: Final = (b"\r\nContent-Length: ", b"\r\ncontent-length: ")
_USER: Final = (b"\r\nHelicone-User-Id: ", b"\r\nhelicone-user-id: ")
"""Two fields that vary, as programs spell them; in another spelling they are slower, no more."""

_MAX_DIGITS: Final = 15
_ZERO: Final = 0x30
_NINE: Final = 0x39


class HeadTemplate:
    """A head that was read: `before` its length, and `after` it, are the bytes of every such head.

    `keep_alive`: its connection stays.
    """

    def __init__(self, head: Head, before: bytes, after: bytes, *, keep_alive: bool) -> None:
        self.head: Final = head
        self.keep_alive: Final = keep_alive
        self._before = before
        self._after = after

    def read(self, data: bytes) -> "RequestHead | None":
        """The head that `data` begins with, if the length is all in which it differs."""
        before, after = self._before, self._after
        if not data.startswith(before):
            return None
        length, end = 0, len(before)
        longest = min(len(data), end + _MAX_DIGITS)
        while end < longest and _ZERO <= (digit := data[end]) <= _NINE:
            length = length * 10 + digit - _ZERO
            end += 1
        size = end + len(after)
        if end == len(before) or size > MAX_HEAD or data[end:size] != after:
            return None
        return RequestHead(self.head, length, self, size)


class RequestHead:
    """A hot request as far as its empty line, which are `size` bytes. `length` is that of its body
    in bytes; `template` is what the next one on its connection probably has as well."""

    def __init__(self, head: Head, length: int, template: HeadTemplate, size: int) -> None:
        self.head: Final = head
        self.length: Final = length
        self.size: Final = size
        self.template: Final = template
        self.keep_alive: Final = template.keep_alive


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

    The heads of one client differ in nothing but the length and, where it is there, the user; both
    are read by themselves, and the rest is remembered. What came with a length reads the same, and
    is as strictly checked, with another.
    """
    size = len(raw)
    start = _start_of(_LENGTH, raw)
    end = raw.find(b"\r\n", start)
    length = _number(raw[start:end])
    if length is None:
        return None
    raw = raw[:start] + raw[end:]
    if raw.find(b"licone-") >= 0 and (of_user := _read_of_user(raw, length, size)) is not None:
        return of_user
    read = _read(raw)
    return RequestHead(read.head, length, read, size) if read is not None else None


def _read_of_user(raw: bytes, length: int, size: int) -> RequestHead | None:
    """A head with a user, of which the rest is remembered apart.

    None where the user is not plainly valid, or named more than once: it is read with the rest.
    """
    start = _start_of(_USER, raw)
    end = raw.find(b"\r\n", start)
    user = raw[start:end]
    if start == 0 or not user.isascii() or not user.decode("ascii").isprintable():
        return None
    read = _read(raw[: start - len(_USER[0])] + raw[end:])
    if read is None or read.head.user is not None:
        return None
    return RequestHead(UserHead(read.head, user), length, read, size)


def _number(digits: bytes) -> int | None:
    return int(digits) if digits.isdigit() and len(digits) <= _MAX_DIGITS else None


def _start_of(spellings: tuple[bytes, bytes], raw: bytes) -> int:
    """Where a field's last value begins; 0 where there is none."""
    for spelling in spellings:
        found = raw.rfind(spelling)
        if found >= 0:
            return found + len(spelling)
    return 0


@lru_cache(maxsize=REMEMBERED_HEADS)
def _read(raw: bytes) -> HeadTemplate | None:
    """A head whose length was taken out; None when it is not hot."""
    start = _start_of(_LENGTH, raw)
    before, after = raw[:start], raw[start:]
    seen = _Collector()
    parser = httptools.HttpRequestParser(seen)
    try:
        parser.feed_data(before + b"1" + after)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade):
        return None
    if not seen.complete or seen.went_on or parser.get_http_version() != "1.1":
        return None
    if parser.get_method() != b"POST" or not seen.url.startswith(b"/"):
        return None
    head = Head("POST", seen.url.decode("latin-1"), seen.headers)
    if not _is_plain(head):
        return None
    return HeadTemplate(head, before, after, keep_alive=parser.should_keep_alive())


def _is_plain(head: Head) -> bool:
    """Whether it has one good Host and one length, and nothing that is not hot."""
    names = [name.lower() for name, _ in head.headers]
    once = names.count(b"content-length") == 1 == names.count(b"host")
    if not once or len(names) > MAX_FIELDS or not is_host(head.fields[b"host"]):
        return False
    return _LEFT_TO_AIOHTTP.isdisjoint(head.fields)
