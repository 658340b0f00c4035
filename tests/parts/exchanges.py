"""Whole exchanges with an upstream, and what came of each."""

from gateway.wire.response import Response, Sink
from gateway.wire.upstream import Upstream

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Body:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.ends = 0

    def __call__(self, data: bytes, end: bool) -> None:
        assert self.ends == 0, "a piece after the last one"
        self.pieces.append(data)
        self.ends += end

    @property
    def data(self) -> bytes:
        return b"".join(self.pieces)


async def fetch(upstream: Upstream, head: bytes = GET, body: bytes = b"") -> tuple[Response, bytes]:
    """One whole exchange: the answer's head, and its body collected."""
    response = await upstream.send(head, body)
    sink = Body()
    await relay(response, sink)
    assert sink.ends == 1
    return response, sink.data


async def relay(response: Response, sink: Sink) -> None:
    """Hand all of its body to `sink`."""
    if not response.relay(sink):
        await response.rest()
