"""The mock provider behind every program: as little work as an answer can be.

`python -m bench.upstream --ports N` listens on N free loopback ports and prints them as a JSON
list. A chat call is answered at once; a prompt that says `Write N chunks, one every M ms` is
answered as server-sent events, one write a chunk. Any GET is answered with a list of one model.
"""

import argparse
import asyncio
import re
from typing import cast

import msgspec
import uvloop

_ORDER = re.compile(rb"Write (\d+) chunks, one every (\d+) ms")
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_KEPT = 8192  # bytes of a request in which the order stands

_USAGE = (
    b'"usage":{"prompt_tokens":20,"completion_tokens":5,"total_tokens":25,'
    b'"prompt_tokens_details":{"cached_tokens":16}}'
)
_CHAT = (
    b'{"id":"chatcmpl-bench","object":"chat.completion","created":1700000000,'
    b'"model":"gpt-4o-mini","choices":[{"index":0,"message":{"role":"assistant",'
    b'"content":"Hello there."},"finish_reason":"stop"}],' + _USAGE + b"}"
)
_MODELS = b'{"object":"list","data":[{"id":"gpt-4o-mini","object":"model","owned_by":"bench"}]}'
_CHUNK_START = (
    b'data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,'
    b'"model":"gpt-4o-mini",'
)
_CHUNK = _CHUNK_START + (
    b'"choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}]}\n\n'
)
_LAST_CHUNKS = (
    _CHUNK_START + b'"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
    _CHUNK_START + b'"choices":[],' + _USAGE + b"}\n\n",
    b"data: [DONE]\n\n",
)


def _plain(body: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % len(body) + body


def _framed(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


CHAT_ANSWER = _plain(_CHAT)
"""The whole answer to a chat call, head and body."""

_MODELS_ANSWER = _plain(_MODELS)
_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
)
_STREAM_CHUNK = _framed(_CHUNK)
_STREAM_END = b"".join(map(_framed, _LAST_CHUNKS)) + b"0\r\n\r\n"


class Provider(asyncio.Protocol):
    """One connection. Requests come one after the other, each with its Content-Length."""

    def __init__(self) -> None:
        self._start = b""
        self._missing = 0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none of asyncio's

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        if self._missing:
            self._missing -= len(data)
            if len(self._start) < _KEPT:
                self._start += data
        else:
            self._start += data
            end = self._start.find(b"\r\n\r\n")
            if end < 0:
                return
            length = _LENGTH.search(self._start, 0, end)
            self._missing = end + 4 + (int(length[1]) if length else 0) - len(self._start)
        if self._missing <= 0:
            self._missing = 0
            self._answer()

    def _answer(self) -> None:
        request, self._start = self._start, b""
        if request.startswith(b"GET "):
            self._transport.write(_MODELS_ANSWER)
        elif order := _ORDER.search(request):
            self._transport.write(_STREAM_HEAD)
            self._stream(int(order[1]), int(order[2]) / 1000)
        else:
            self._transport.write(CHAT_ANSWER)

    def _stream(self, chunks: int, every: float) -> None:
        self._transport.write(_STREAM_CHUNK)
        if chunks > 1:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(every, self._stream, chunks - 1, every)
        else:
            self._transport.write(_STREAM_END)


async def _serve(ports: int) -> None:
    loop = asyncio.get_running_loop()
    servers = [
        await loop.create_server(Provider, "127.0.0.1", 0, backlog=4096) for _ in range(ports)
    ]
    found = [server.sockets[0].getsockname()[1] for server in servers]
    print(msgspec.json.encode(found).decode(), flush=True)  # noqa: T201  # read by who started it
    await loop.create_future()


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--ports", type=int, required=True)
    uvloop.run(_serve(parser.parse_args().ports))


if __name__ == "__main__":
    main()
