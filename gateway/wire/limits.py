"""What a client may take: time, and how slow it may be. One set for both edges."""

from typing import Final

import msgspec


class Limits(msgspec.Struct, frozen=True):
    """How long a client is waited for, in seconds, and how little it may move in that time.

    `head`: from the connection, or from the first byte of a later request, to the head's end.
    `idle`: between two requests. `body`, `answer`: the windows in each of which a client has to
    send of its request, or to take of its answer, `rate` bytes a second on average; the first
    window is the grace. The answer's is longer, as kernels report in steps of up to a megabyte
    what a client has taken. `linger`: the same for a body that nobody wants, so that its sender
    gets to read the answer before the connection goes (RFC 9112 section 9.6); `linger_most`: all
    such windows together. `leave`: for connections that wait, once others have taken the place of
    the gateway.
    """

    head: float = 10.0
    idle: float = 75.0
    body: float = 10.0
    answer: float = 120.0
    rate: int = 240
    linger: float = 2.0
    linger_most: float = 30.0
    leave: float = 5.0


LIMITS = Limits()
"""The limits of a gateway in production."""

MAX_HEAD: Final = 32 * 1024
"""Bytes of a request's line and fields."""

MAX_FIELDS: Final = 100
"""Field lines of a request."""


class Progress:
    """Whether what is left of a transfer shrinks fast enough, looked at once a window."""

    __slots__ = ("_least", "_left")

    def __init__(self, window: float, rate: int) -> None:
        self._least = window * rate
        self._left = 0

    def start(self, left: int) -> None:
        """A window begins with `left` bytes to go."""
        self._left = left

    def is_enough(self, left: int) -> bool:
        """Whether the window that ends was fast enough; the next one begins.

        So it is taken to be where more is left than before: something was added meanwhile, and
        nobody can say how much was moved.
        """
        moved, self._left = self._left - left, left
        return moved < 0 or moved >= self._least


class Surplus:
    """What a client still sends after its last answer, and how long that is discarded."""

    __slots__ = ("_ends_at", "_progress", "_received")

    def __init__(self, limits: Limits, now: float) -> None:
        self._progress = Progress(limits.linger, limits.rate)
        self._ends_at = now + limits.linger_most
        self._received = 0

    def add(self, size: int) -> None:
        """So many bytes more have come."""
        self._received += size

    def goes_on(self, now: float) -> bool:
        """Whether the window that ends was fast enough, and there may be another one."""
        return self._progress.is_enough(-self._received) and now < self._ends_at
