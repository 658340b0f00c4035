"""How aiohttp is fed with a client's bytes, so that each request is judged by itself.

A read that brings a good request and a bad one gets aiohttp 3.14 to forget the good one, so it is
given head by head. And nothing may follow a request with trailers on its connection: aiohttp takes
the last trailer for the first field of the next head, so that a trailer could become somebody's
Authorization (RFC 9110 section 6.5.1 forbids the like).
"""

from collections.abc import Iterator

import httptools

_END = b"\r\n\r\n"
_SAY_HOW_LONG = (b"content-length", b"transfer-encoding")


class Framing:
    """Reads along with aiohttp, on a parser of the same family.

    `is_in_head`: a head has begun, and not ended. `has_ended`: nothing more may be read. So it is
    after a request with trailers or with an upgrade, and after bytes that are no request.
    """

    __slots__ = (
        *("_is_last", "_is_in_body", "_lengths", "_parser", "_saw_head"),
        *("has_ended", "is_in_head"),
    )

    def __init__(self) -> None:
        self.is_in_head = False
        self.has_ended = False
        self._is_in_body = False
        self._is_last = False
        self._saw_head = False
        self._lengths: list[bytes] = []
        self._parser = httptools.HttpRequestParser(self)

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """`data` cut behind every head in it, as far as it may be read."""
        start = parsed = 0
        for end in _ends(data):
            self._parse(data[parsed:end])
            parsed = end
            if (self._saw_head or self.has_ended or end == len(data)) and start < end:
                yield data[start:end]
                start = end
                self._saw_head = False
            if self.has_ended:
                return

    def _parse(self, data: bytes) -> None:
        try:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade:
                self._decline_upgrade()
        except httptools.HttpParserError:
            self.has_ended = True

    def _decline_upgrade(self) -> None:
        """Go on in HTTP (RFC 9110 section 7.8), where the parser expects another protocol.

        Some clients ask for HTTP/2 with any request, which has its body all the same. Nothing may
        follow it, as aiohttp loses bytes there.
        """
        self._is_last = True
        self._parser = httptools.HttpRequestParser(self)
        self._parser.feed_data(b"POST / HTTP/1.1\r\nHost: x\r\n%b\r\n" % b"".join(self._lengths))

    def on_message_begin(self) -> None:
        self._lengths = []
        self.is_in_head = True

    def on_headers_complete(self) -> None:
        self._saw_head = self._is_in_body = True
        self.is_in_head = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self._is_last = self._is_last or self._is_in_body
        if name.lower() in _SAY_HOW_LONG:
            self._lengths.append(b"%b: %b\r\n" % (name, value))

    def on_message_complete(self) -> None:
        self._is_in_body = False
        self.has_ended = self._is_last


def _ends(data: bytes) -> Iterator[int]:
    """Every place where fields can end; their empty line may have begun in an earlier read."""
    yield from range(1, min(len(_END), len(data)))
    found = data.find(_END)
    while found >= 0:
        yield found + len(_END)
        found = data.find(_END, found + 1)
    yield len(data)
