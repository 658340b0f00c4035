"""The way back to the client: what an edge offers the proxy to answer with."""

from typing import Protocol

from gateway.calls.head import Headers


class Flow(Protocol):
    """Something that produces bytes and can be asked to wait."""

    def pause(self) -> None:
        """Stop producing until `resume`; a few chunks may still come."""

    def resume(self) -> None:
        """Go on producing."""


class Downstream(Protocol):
    """One answer on its way to one client. No method blocks, and none raises when the client left.

    A client that leaves cancels the call that answers it; a client that reads slowly pauses
    the `flow` it was given.
    """

    def start(self, status: int, headers: Headers, length: int | None) -> None:
        """Queue the answer's head; `length` in bytes, None when it is not known beforehand.

        `headers` has neither framing nor connection fields; the edge adds its own.
        """

    def write(self, data: bytes) -> None:
        """Queue a piece of the body."""

    def flush(self) -> None:
        """Send what is queued, as nobody knows when more of it comes."""

    def finish(self) -> None:
        """Say that the body is complete."""

    def cut(self) -> None:
        """Close the connection without a clean end, after what is queued (RFC 9112 section 8)."""

    def connect_flow(self, flow: Flow | None) -> None:
        """Name the source of the coming writes, to be paused when the client is slow."""
