"""Ports of this machine for programs that must be told theirs."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from random import SystemRandom

HOST = "127.0.0.1"

_PORTS = range(10_000, 20_000)
"""Below those that Linux gives to clients (ip(7), ip_local_port_range): one of them could take the
port before the program does, or while it is down."""

_BUS = 10_000
"""How far above its port a node of a Redis Cluster talks to the others."""


def free_ports() -> Iterator[int]:
    """Ports nobody listens on, nor on those that a Cluster would add to them; each but once."""
    # Not seeded: another process would choose alike.
    return filter(_is_free, SystemRandom().sample(_PORTS, len(_PORTS)))


def free_port() -> int:
    """One of them."""
    return next(free_ports())


def _is_free(port: int) -> bool:
    with socket.socket() as one, socket.socket() as bus, suppress(OSError):
        one.bind((HOST, port))
        bus.bind((HOST, port + _BUS))
        return True
    return False
