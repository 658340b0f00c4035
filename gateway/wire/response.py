"""An answer as the proxy sees it: a head, and a body that passes through."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from gateway.calls.head import Headers

Sink = Callable[[bytes, bool], None]
"""Takes a piece of a body, and whether it is the last one."""


class Source(Protocol):
    """Where the body comes from."""

    def relay(self, sink: Sink) -> Awaitable[None] | None:
        """Give `sink` what is here, then every read; done with the last, None if that was all."""

    def pause(self) -> None:
        """Stop reading."""

    def resume(self) -> None:
        """Read on."""

    def leave(self) -> None:
        """The body is not wanted any more."""


class Response:
    """The head of an answer, and its body still to come. Its owner relays it or closes it.

    `headers` come in order and in the provider's spelling. `length` is the Content-Length, None
    when there is none; an answer to HEAD, or a 304, has the length its body would have had.
    """

    __slots__ = ("_rest", "_source", "headers", "length", "status")

    def __init__(self, source: Source, status: int, headers: Headers, length: int | None) -> None:
        self._source: Source | None = source
        self._rest: Awaitable[None] | None = None
        self.status = status
        self.headers = headers
        self.length = length

    def __repr__(self) -> str:
        return f"<Response {self.status}>"

    def relay(self, sink: Sink) -> bool:
        """Hand the body to `sink` as it comes, at most once a read; what is here already goes now.

        True if that was all; if not, `rest` is to be awaited.
        """
        if self._source is None:
            raise RuntimeError("The response was relayed or closed before")
        self._rest = self._source.relay(sink)
        return self._rest is None

    async def rest(self) -> None:
        """Return after the last piece of a body that is being relayed.

        Raises ConnectionLost, TimedOut or ProtocolError when the answer ends early, after every
        byte that came, and whatever the sink raises; then, and when it is cancelled, the connection
        is closed.
        """
        if self._rest is None:
            return
        try:
            await self._rest
        finally:
            self.close()

    def pause(self) -> None:
        """Read no more until `resume`; the provider is not blamed for the time it takes."""
        if self._source is not None:
            self._source.pause()

    def resume(self) -> None:
        """Read on."""
        if self._source is not None:
            self._source.resume()

    def close(self) -> None:
        """Want no more of it; a connection that has more to come is closed."""
        source, self._source = self._source, None
        if source is not None:
            source.leave()

    def detach(self) -> None:
        """The source has nothing more to do with it."""
        self._source = None
