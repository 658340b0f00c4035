"""Many streams at once, counted while they run.

`python -m bench.clients.streams PORT TEMPLATE STREAMS SECONDS` opens them, prints the number of
those that began once all did or none did any more, and after SECONDS a line with what came
meanwhile. The streams must not end by themselves.
"""

import asyncio
import random
import sys
import time
from functools import partial
from pathlib import Path
from typing import cast

import msgspec
import uvloop

from bench import traffic

_CALM = 5.0
_AT_ONCE = 250


class Begun(msgspec.Struct, frozen=True):
    """Streams that have brought a chunk."""

    streams: int


class Chunks(msgspec.Struct, frozen=True):
    """Chunks that came within the seconds; `lost` streams ended before."""

    chunks: int
    seconds: float
    lost: int


class Counters:
    """What all streams of this process share."""

    def __init__(self) -> None:
        self.began = 0
        self.chunks = 0
        self.lost = 0


class Stream(asyncio.Protocol):
    """One connection with one stream; a chunk split between two reads is not counted."""

    def __init__(self, request: bytes, counters: Counters) -> None:
        self._request = request
        self._counters = counters
        self._began = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        chunks = data.count(b"data:")
        self._counters.chunks += chunks
        if chunks and not self._began:
            self._began = True
            self._counters.began += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self._counters.lost += 1


async def _open(port: int, template: bytes, streams: int, counters: Counters) -> None:
    loop = asyncio.get_running_loop()
    pieces = template.split(traffic.USER.encode())
    for number in range(streams):
        request = traffic.user_number(random.randrange(1_000_000)).join(pieces)
        await loop.create_connection(partial(Stream, request, counters), "127.0.0.1", port)
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0.01)  # or the listener's backlog overflows
    calm_since, began = time.monotonic(), -1
    while counters.began < streams and time.monotonic() < calm_since + _CALM:
        if counters.began != began:
            calm_since, began = time.monotonic(), counters.began
        await asyncio.sleep(0.02)


async def _run(port: int, template: bytes, streams: int, seconds: float) -> None:
    counters = Counters()
    await _open(port, template, streams, counters)
    await asyncio.sleep(0.5)
    _say(Begun(counters.began))
    started, before = time.monotonic(), counters.chunks
    await asyncio.sleep(seconds)
    _say(Chunks(counters.chunks - before, time.monotonic() - started, counters.lost))


def _say(message: msgspec.Struct) -> None:
    print(msgspec.json.encode(message).decode(), flush=True)  # noqa: T201  # for who started it


def main() -> None:
    """Run the streams of the command line."""
    port, template, streams, seconds = sys.argv[1:]
    uvloop.run(_run(int(port), Path(template).read_bytes(), int(streams), float(seconds)))


if __name__ == "__main__":
    main()
