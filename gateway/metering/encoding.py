"""Content codings that can be read along (RFC 9110 section 8.4.1): gzip and deflate."""

import zlib
from typing import Final

MAX_READ: Final = 32 * 1024 * 1024
"""How much of an answer is kept and read at most, in bytes."""

READABLE: Final = frozenset({b"gzip", b"x-gzip", b"deflate"})
"""Codings an Inflater undoes."""

_HEADER = 2


class Unreadable(ValueError):
    """Not the coding it claims to be, or more than MAX_READ bytes of content."""


class Inflater:
    """Undoes one coding, piece by piece; gives out MAX_READ bytes at most in its life."""

    def __init__(self) -> None:
        self._zlib: zlib._Decompress | None = None
        self._head = b""
        self._size = 0

    def feed(self, data: bytes) -> bytes:
        """The content that `data` adds; Unreadable when there is none to be had."""
        content = self._inflate(data)
        # A gzip file is a series of members (RFC 1952 section 2.2).
        while self._zlib and self._zlib.eof and (data := self._zlib.unused_data):
            self._zlib = None
            content += self._inflate(data)
        return content

    def _inflate(self, data: bytes) -> bytes:
        if self._zlib is None:
            data = self._head = self._head + data
            if len(data) < _HEADER:
                return b""
            self._zlib, self._head = zlib.decompressobj(_window_bits(data)), b""
        try:
            content = self._zlib.decompress(data, MAX_READ - self._size + 1)
        except zlib.error as error:
            raise Unreadable(f"The content is not what its coding says: {error}") from error
        self._size += len(content)
        if self._size > MAX_READ:
            raise Unreadable(f"The content is larger than {MAX_READ} bytes")
        return content


def _window_bits(data: bytes) -> int:
    """zlib's code for the wrapper that begins with these two bytes or more.

    RFC 1952 section 2.3.1, RFC 1950 section 2.2; some servers send `deflate` without the wrapper.
    """
    if data.startswith(b"\x1f\x8b"):
        return 16 + zlib.MAX_WBITS
    is_zlib = data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
    return zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS
