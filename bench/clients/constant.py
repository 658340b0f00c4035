"""A constant rate, whatever the program does: a request that has to wait has waited.

`python -m bench.clients.constant PORT TEMPLATE USERS RATE SECONDS CONNECTIONS` prints the requests
answered in time, and p50 and p99 in milliseconds from the moment each was due to its last byte.
Requests are due at equal distances; one that finds no connection free waits for the next.
"""

import ctypes
import os
import random
import select
import socket
import sys
import time
from collections import deque
from pathlib import Path

import msgspec

from bench import traffic
from bench.clients.exchange import Answer
from bench.spread import percentile

_GRACE = 2.0
_READ = 256 * 1024


class Latencies(msgspec.Struct, frozen=True):
    """Milliseconds from when a request was due; `asked` and `answered` are requests."""

    asked: int
    answered: int
    p50: float
    p99: float


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Timer(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("first", _Timespec))


def open_timer(rate: float) -> int:
    """A timerfd_create(2) descriptor that is ready `rate` times a second.

    An event loop's timers count milliseconds; requests are due microseconds apart.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = int(libc.timerfd_create(time.CLOCK_MONOTONIC, os.O_NONBLOCK))
    period = divmod(round(1e9 / rate), 1_000_000_000)
    timer = _Timer(_Timespec(*period), _Timespec(*period))
    if descriptor < 0 or libc.timerfd_settime(descriptor, 0, ctypes.byref(timer), None):
        raise OSError(ctypes.get_errno(), "no timer")
    return descriptor


class Load:
    """The requests due, the connections free, and the latencies of what came back."""

    def __init__(self, port: int, template: bytes, users: int, connections: int) -> None:
        self._pieces = template.split(traffic.USER.encode())
        self._users = users
        self._epoll = select.epoll()
        self._free = [_connected(port) for _ in range(connections)]
        self._sockets = {found.fileno(): found for found in self._free}
        for descriptor in self._sockets:
            self._epoll.register(descriptor, select.EPOLLIN)
        self._due: deque[float] = deque()
        self._busy: dict[int, tuple[float, Answer]] = {}
        self.latencies: list[float] = []

    def run(self, rate: float, seconds: float) -> int:
        """Ask at `rate` for `seconds`, then wait a little for the rest; the requests asked."""
        timer = open_timer(rate)
        self._epoll.register(timer, select.EPOLLIN)
        started, asked, wanted = time.monotonic(), 0, int(rate * seconds)
        while time.monotonic() < started + seconds + _GRACE:
            for descriptor, _ in self._epoll.poll(0.1):
                if descriptor != timer:
                    self._read(descriptor)
                    continue
                expired = int.from_bytes(os.read(timer, 8), sys.byteorder)
                more = range(asked + 1, min(asked + expired, wanted) + 1)
                self._due.extend(started + number / rate for number in more)
                asked += len(more)
            while self._due and self._free:
                self._send(self._free.pop())
            if asked == wanted and not self._busy and not self._due:
                break
        os.close(timer)
        return asked

    def close(self) -> None:
        """Close the connections."""
        self._epoll.close()
        for connection in self._sockets.values():
            connection.close()

    def _send(self, connection: socket.socket) -> None:
        user = traffic.user_number(random.randrange(self._users))
        self._busy[connection.fileno()] = (self._due.popleft(), Answer())
        connection.sendall(user.join(self._pieces))

    def _read(self, descriptor: int) -> None:
        data = self._sockets[descriptor].recv(_READ)
        if not data:
            raise ConnectionError("the program closed a connection")
        due, answer = self._busy[descriptor]
        if answer.feed(data):
            self.latencies.append((time.monotonic() - due) * 1000)
            del self._busy[descriptor]
            self._free.append(self._sockets[descriptor])


def _connected(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def main() -> None:
    """Make the load of the command line."""
    port, template, users, rate, seconds, connections = sys.argv[1:]
    load = Load(int(port), Path(template).read_bytes(), int(users), int(connections))
    asked = load.run(float(rate), float(seconds))
    found = load.latencies
    result = Latencies(asked, len(found), percentile(found, 50), percentile(found, 99))
    print(msgspec.json.encode(result).decode())  # noqa: T201  # read by who started it


if __name__ == "__main__":
    main()
