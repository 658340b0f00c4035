"""Where requests with trailers end, as nothing may follow them on their connection.

aiohttp 3.14 takes the last trailer of a request for the first field of the next one, so that a
trailer could become somebody's Authorization (RFC 9110 section 6.5.1 forbids the like).
"""

from collections.abc import Iterator

import httptools

_END = b"\r\n\r\n"


class TrailerWatch:
    """Reads along with aiohttp, on a parser of the same family."""

    __slots__ = ("_has_ended", "_has_trailers", "_is_past_head", "_parser")

    def __init__(self) -> None:
        self._is_past_head = False
        self._has_trailers = False
        self._has_ended = False
        self._parser = httptools.HttpRequestParser(self)

    def end_in(self, data: bytes) -> int | None:
        """How much of `data` may be read, where that is not all that may ever come.

        So it is after a request with trailers, and after bytes that are no request.
        """
        start = 0
        for end in _ends(data):
            try:
                self._parser.feed_data(data[start:end])
            except (httptools.HttpParserError, httptools.HttpParserUpgrade):
                return end
            if self._has_ended:
                return end
            start = end
        return None

    def on_message_begin(self) -> None:
        self._is_past_head = False

    def on_headers_complete(self) -> None:
        self._is_past_head = True

    def on_header(self, name: bytes, value: bytes) -> None:
        self._has_trailers = self._has_trailers or self._is_past_head

    def on_message_complete(self) -> None:
        self._has_ended = self._has_trailers


def _ends(data: bytes) -> Iterator[int]:
    """Every place where trailers can end; their empty line may have begun in an earlier read."""
    yield from range(1, min(len(_END), len(data)))
    found = data.find(_END)
    while found >= 0:
        yield found + len(_END)
        found = data.find(_END, found + 1)
    yield len(data)
