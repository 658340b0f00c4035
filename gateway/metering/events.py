"""Server-sent events: where one ends, and what data it carries.

WHATWG HTML, section 9.2.5 and 9.2.6: a line ends with CR LF, LF or CR, an event with a blank
line; a line that starts with a colon is a comment; `data:` lines of one event are joined by LF.
"""

import re
from typing import Final

from gateway.metering.encoding import MAX_READ

Piece = tuple[bytes, bytes]
"""Bytes as they came, and the data they carry; none for comments and blank lines between events."""

_LINE_END = rb"(?>\r\n?|\n)"
_BLANK_LINE = re.compile(_LINE_END + _LINE_END)
_BETWEEN = re.compile(rb"(?::[^\r\n]*+)?" + _LINE_END)
_BETWEEN_STARTS: Final = b":\r\n"
_LONGEST_BLANK_LINE: Final = 4
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LINE_FEED: Final = 0x0A
_CARRIAGE_RETURN: Final = 0x0D
_SPACE: Final = 0x20


class EventBuffer:
    """Cuts a stream into events, however it was split on its way.

    The pieces it gives out and its rest are, in order, all that was fed. An event over MAX_READ
    ends the reading: it and all after it come out as pieces that carry nothing. `is_between`: what
    is fed next begins an event.
    """

    def __init__(self) -> None:
        self.is_between = True
        self._buffer = bytearray()
        self._given_up = False

    @property
    def rest(self) -> bytes:
        """The unfinished event at the end of what was fed."""
        return bytes(self._buffer)

    @property
    def given_up(self) -> bool:
        """Whether an event was too long; from then on nobody knows where events begin."""
        return self._given_up

    def feed(self, data: bytes) -> list[Piece]:
        """The events that `data` completes, and the comments and blank lines around them."""
        if self.is_between:
            carried = _only_line(data)
            if carried is not None:
                return [(data, carried)]
        if self._given_up:
            return [(data, b"")]
        pieces = self._cut(data)
        if len(self._buffer) > MAX_READ:
            self._given_up = True
            pieces += [(self.rest, b"")]
            self._buffer.clear()
        self.is_between = not self._buffer and not self._given_up
        return pieces

    def finish(self) -> list[Piece]:
        """The rest as an event: many servers leave out the last blank line."""
        rest = self.rest
        self._buffer.clear()
        self.is_between = not self._given_up
        return [(rest, _data(rest))] if rest else []

    def _cut(self, data: bytes) -> list[Piece]:
        buffer, pieces, start = self._buffer, list[Piece](), 0
        unsearched = max(0, len(buffer) - _LONGEST_BLANK_LINE)
        buffer += data
        if _LINE_FEED not in data and _CARRIAGE_RETURN not in data:
            return pieces  # every piece ends with a line, so none is looked for again
        event_end = _event_end if buffer.find(b"\r", unsearched) >= 0 else _event_end_by_lf
        while True:
            while start < len(buffer) and buffer[start] in _BETWEEN_STARTS:
                between = _BETWEEN.match(buffer, start)
                if between is None:
                    break
                pieces.append((between[0], b""))
                start = between.end()
            end = event_end(buffer, max(start, unsearched))
            if end is None:
                break
            event = bytes(buffer[start:end])
            pieces.append((event, _data(event)))
            start = end
        del buffer[:start]
        return pieces


def _event_end(buffer: bytearray, start: int) -> int | None:
    blank_line = _BLANK_LINE.search(buffer, start)
    return blank_line.end() if blank_line else None


def _event_end_by_lf(buffer: bytearray, start: int) -> int | None:
    """The same, six times as fast, where no line ends with CR."""
    blank_line = buffer.find(b"\n\n", start)
    return None if blank_line < 0 else blank_line + 2


def _only_line(event: bytes) -> bytes | None:
    """The data of an event that is one `data:` line and its blank line, as nearly all are."""
    if not event.startswith(b"data:") or not event.endswith(b"\n\n"):
        return None
    line = event[:-2]
    if _LINE_FEED in line or _CARRIAGE_RETURN in line:
        return None
    return line[6:] if event[5] == _SPACE else line[5:]


def _data(event: bytes) -> bytes:
    carried = _only_line(event)
    if carried is not None:
        return carried
    lines = event.removeprefix(_BYTE_ORDER_MARK).splitlines()
    return b"\n".join([line[5:].removeprefix(b" ") for line in lines if line.startswith(b"data:")])
