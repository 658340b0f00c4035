"""Events that only say something, told apart without decoding each of them.

A provider writes the events of a stream by one pattern; from one to the next, only the text in it
is another.
"""

from typing import Final

import msgspec

from gateway.metering.shapes import UNDECODABLE

_decode_text: Final = msgspec.json.Decoder(str).decode


class TextPattern:
    """The bytes around the text of the event that was learned last, as it was sent."""

    def __init__(self) -> None:
        self._before = self._after = b""

    def learn(self, event: bytes, text: str) -> bool:
        """Take the pattern of `event`, which adds nothing but `text` to what is known.

        False, and nothing is learned, where it is not plain which of its bytes are the text.
        """
        quoted = b'"%b"' % text.encode()
        start = event.find(quoted) + 1
        is_plain = start > 0 and event.rfind(quoted) == start - 1
        if is_plain:
            self._before, self._after = event[:start], event[start + len(quoted) - 2 :]
        return is_plain

    def characters(self, event: bytes) -> int:
        """The length of the text of an event by this pattern; -1 for any other bytes.

        A text as long as another event is left in doubt: there may be one in it.
        """
        before, after = self._before, self._after
        start, end = len(before), len(event) - len(after)
        if not start <= end < 2 * start + len(after):
            return -1
        if not event.startswith(before) or not event.endswith(after):
            return -1
        try:
            return len(_decode_text(event[start - 1 : end + 1]))
        except UNDECODABLE:
            return -1
