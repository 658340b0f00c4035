"""The request as an edge read it: the one thing both edges hand to the proxy."""

from collections.abc import Callable
from typing import Final

from gateway.calls.head import Head
from gateway.calls.parsed_fields import text_of
from gateway.generation import Generation

OnSettled = Callable[[Generation], None]


class Request:
    """One HTTP request, its body complete; it does not change.

    `received_at` is microseconds since the epoch, `started` seconds on the monotonic clock, both
    when its head was complete. `on_settled` is told of its record, once, whatever ends it.
    """

    def __init__(
        self,
        *,
        head: Head,
        body: bytes,
        peer: str,
        received_at: int,
        started: float,
        on_settled: OnSettled | None = None,
    ) -> None:
        self.head: Final = head
        self.body: Final = body
        self.peer: Final = peer
        self.received_at: Final = received_at
        self.started: Final = started
        self.on_settled: Final = on_settled

    def header(self, name: bytes) -> str | None:
        """The value of a field by its lower-case name, trimmed; None when absent or empty."""
        return text_of(self.head.fields, name)

    def with_body(self, body: bytes) -> "Request":
        """The same request with another body."""
        return self._but(body, self.on_settled)

    def watched(self, on_settled: OnSettled) -> "Request":
        """The same request, with somebody to tell of its record."""
        return self._but(self.body, on_settled)

    def _but(self, body: bytes, on_settled: OnSettled | None) -> "Request":
        return Request(
            head=self.head,
            body=body,
            peer=self.peer,
            received_at=self.received_at,
            started=self.started,
            on_settled=on_settled,
        )
