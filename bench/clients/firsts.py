"""The time to the first chunk of a stream, one stream after the other.

`python -m bench.clients.firsts PORT TEMPLATE SECONDS` prints p50 and p99 in milliseconds.
"""

import random
import socket
import sys
import time
from pathlib import Path

import msgspec

from bench import traffic
from bench.clients.exchange import Answer
from bench.spread import percentile


class FirstChunks(msgspec.Struct, frozen=True):
    """Milliseconds from the request to its first chunk."""

    streams: int
    p50: float
    p99: float


def first_chunk(connection: socket.socket, request: bytes) -> float:
    """Milliseconds to the first chunk of one stream, which is read to its end."""
    answer, seen, began = Answer(), b"", 0.0
    sent = time.perf_counter()
    connection.sendall(request)
    complete = False
    while not complete:
        data = connection.recv(65536)
        if not data:
            raise ConnectionError("the program closed the connection")
        seen += data
        if not began and b"data:" in seen:
            began = time.perf_counter()
        complete = answer.feed(data)
    return (began - sent) * 1000


def main() -> None:
    """Measure for the seconds of the command line."""
    port, template, seconds = sys.argv[1:]
    pieces = Path(template).read_bytes().split(traffic.USER.encode())
    until = time.monotonic() + float(seconds)
    found: list[float] = []
    with socket.create_connection(("127.0.0.1", int(port))) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while time.monotonic() < until:
            user = traffic.user_number(random.randrange(1000))
            found.append(first_chunk(connection, user.join(pieces)))
    result = FirstChunks(len(found), percentile(found, 50), percentile(found, 99))
    print(msgspec.json.encode(result).decode())  # noqa: T201  # read by who started it


if __name__ == "__main__":
    main()
