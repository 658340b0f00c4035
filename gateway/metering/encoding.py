"""Content codings that can be read along (RFC 9110 section 8.4.1): gzip and deflate."""

import zlib
from typing import Final

MAX_READ: Final = 32 * 1024 * 1024
"""How much of an answer is kept and read at most, in bytes."""

READABLE: Final = frozenset({b"gzip", b"x-gzip", b"deflate"})
"""Codings an Inflater undoes."""

_HEADER = 2
_GZIP: Final = b"\x1f\x8b"
_MOST_COPIED: Final = 8 * MAX_READ
"""Bytes: each member of gzip costs a copy of all that was fed with it and lies behind it."""


class Unreadable(ValueError):
    """Not the coding it claims to be, more than MAX_READ bytes of content, or so many gzip members
    that taking them apart would hold up everything else."""


class Inflater:
    """Undoes one coding, piece by piece; gives out MAX_READ bytes at most in its life.

    A gzip file is a series of members (RFC 1952 section 2.2). It ends before what is none, as for
    the gzip command: some servers fill their last block with zeros.
    """

    def __init__(self) -> None:
        self._decoder: zlib._Decompress | None = None
        self._head = b""
        self._size = self._copied = 0
        self._has_begun = self._is_over = False

    def feed(self, data: bytes) -> bytes:
        """The content that `data` adds; Unreadable when there is none to be had."""
        data, self._head = self._head + data, b""
        contents = []
        while data and not self._is_over:
            decoder = self._decoder or self._begin(data)
            if decoder is None:
                break
            contents.append(self._inflate(decoder, data))
            self._decoder = None if decoder.eof else decoder
            data = decoder.unused_data
            self._copied += len(data)
            if self._copied > _MOST_COPIED:
                raise Unreadable("The content is in too many parts")
        return b"".join(contents)

    def _begin(self, data: bytes) -> "zlib._Decompress | None":
        """The decoder of what begins with `data`; None where that is too short to tell, or
        nothing."""
        if len(data) < _HEADER:
            self._head = data
            return None
        if self._has_begun and not data.startswith(_GZIP):
            self._is_over = True
            return None
        self._has_begun = True
        return zlib.decompressobj(_window_bits(data))

    def _inflate(self, decoder: "zlib._Decompress", data: bytes) -> bytes:
        try:
            content = decoder.decompress(data, MAX_READ - self._size + 1)
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
    if data.startswith(_GZIP):
        return 16 + zlib.MAX_WBITS
    is_zlib = data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
    return zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS
