"""The request as an edge read it: the one thing both edges hand to the proxy."""

from collections.abc import Callable

import msgspec

from gateway.generation import Generation
from gateway.head import Head


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request, its body complete.

    `received_at` is microseconds since the epoch, `started` seconds on the monotonic clock, both
    when its head was complete. `on_settled` is told of its record, once, whatever ends it.
    """

    head: Head
    body: bytes
    peer: str
    received_at: int
    started: float
    on_settled: Callable[[Generation], None] | None = None

    def header(self, name: bytes) -> str | None:
        """The value of a field of its head, as `Head.field` gives it."""
        return self.head.field(name)
