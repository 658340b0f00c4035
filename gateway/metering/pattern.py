"""Events that only say something, told apart without decoding each of them.

A provider writes the events of a stream by one pattern; from one to the next, only the text in it
is another.
"""


class TextPattern:
    """The bytes around the text of the event that was learned last, as it was sent."""

    def __init__(self) -> None:
        self._before = self._after = b""

    def learn(self, event: bytes, text: str) -> None:
        """Take the pattern of `event`, which adds nothing but `text` to what is known.

        Nothing is learned where it is not plain which of its bytes are the text.
        """
        quoted = b'"%b"' % text.encode()
        start = event.find(quoted) + 1
        if start and event.rfind(quoted) == start - 1:
            self._before, self._after = event[:start], event[start + len(quoted) - 2 :]

    def characters(self, event: bytes) -> int:
        """The length of the text of an event by this pattern; -1 for any other bytes.

        A text with a line end in it, which is not printable, would be no event, or more than one.
        """
        before, after = self._before, self._after
        if not before or not event.startswith(before) or not event.endswith(after):
            return -1
        try:
            text = event[len(before) : -len(after)].decode()
        except UnicodeDecodeError:
            return -1
        is_plain = text.isprintable() and text.find('"') < 0 and text.find("\\") < 0
        return len(text) if is_plain else -1
