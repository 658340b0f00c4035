"""Model calls, and the answers that scripted providers give to them."""

import asyncio
from typing import Any

from tests.parts.raw_provider import Peer, RawProvider, Script

CHAT = b'{"model":"gpt-4o-mini","user":"user_1","messages":[{"role":"user","content":"Hi"}]}'
STREAM = b'{"stream":true,' + CHAT[1:]
USAGE = b'"usage":{"prompt_tokens":7,"completion_tokens":3}'
COMPLETION = b'{"id":"chatcmpl-1","choices":[{"finish_reason":"stop"}],' + USAGE + b"}"

STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
)
HELLO = b'data: {"id":"chatcmpl-2","choices":[{"delta":{"content":"Hello"}}]}\n\n'
COUNTED = b'data: {"id":"chatcmpl-2","choices":[],' + USAGE + b"}\n\n"
DONE = b"data: [DONE]\n\n"
LAST_CHUNK = b"0\r\n\r\n"


def whole(body: bytes, status: bytes = b"200 OK", *fields: bytes) -> bytes:
    """An answer with a JSON body of known length."""
    lines = [b"HTTP/1.1 " + status, b"Content-Type: application/json", *fields]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", body])


def chunk(data: bytes) -> bytes:
    """`data` as a chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def at(provider: RawProvider, name: str = "a", **settings: Any) -> dict[str, Any]:
    """The configuration of a scripted provider."""
    return {"name": name, "base_url": f"http://127.0.0.1:{provider.port}/v1", **settings}


async def read_request(peer: Peer) -> tuple[bytes, bytes]:
    """Head and body of the next request, as they reached the provider."""
    head = await peer.head()
    lengths = [
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    ]
    return head, await peer.read(sum(lengths))


async def never_end(peer: Peer) -> None:
    """A script that begins a stream and leaves it at that."""
    await read_request(peer)
    peer.send(STREAM_HEAD + chunk(HELLO))
    await peer.wait_closed()


async def hang(peer: Peer) -> None:
    """A script that takes a request and never answers."""
    await peer.head()
    await peer.wait_closed()


async def hang_up(peer: Peer) -> None:
    """A script that takes a request and ends the connection."""
    await peer.head()


async def babble(peer: Peer) -> None:
    """A script that answers with something that is not HTTP."""
    await peer.head()
    peer.send(b"the oven is out\r\n\r\n")


async def echo(peer: Peer) -> None:
    """A script that answers every request with its own body."""
    while True:
        _, body = await read_request(peer)
        peer.send(whole(body))


def ends_at(moment: asyncio.Event) -> Script:
    """A script that begins a stream and ends it at the moment."""

    async def play(peer: Peer) -> None:
        await read_request(peer)
        peer.send(STREAM_HEAD + chunk(HELLO))
        await moment.wait()
        peer.send(chunk(DONE) + LAST_CHUNK)
        await peer.wait_closed()

    return play


class Requests:
    """A script that answers every request on a connection and keeps what was asked."""

    def __init__(self, answer: bytes) -> None:
        self.seen: list[tuple[bytes, bytes]] = []
        self._answer = answer

    async def __call__(self, peer: Peer) -> None:
        while True:
            self.seen.append(await read_request(peer))
            peer.send(self._answer)
