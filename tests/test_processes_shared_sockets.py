"""The sockets that workers share, and that no other program does."""

import socket
from contextlib import closing

import pytest

from gateway.config import Server
from gateway.processes.shared_sockets import SharedSockets


def port_of(sockets: SharedSockets) -> int:
    """Where they are bound."""
    return int(sockets.address.rpartition(":")[2])


def test_two_programs_at_once() -> None:
    """Of two that were bound before either listened, one has the address, and no call of its."""
    with (
        closing(SharedSockets(Server(port=0))) as first,
        closing(SharedSockets(Server(port=port_of(first)))) as late,
    ):
        for sockets in (first, late):
            assert len(sockets.of(0, 2)) == len(sockets.of(1, 2)) == 1
        first.listen()
        with pytest.raises(OSError, match=rf"127.0.0.1:{port_of(first)}: address already in use"):
            late.listen()
        assert not any(_listens(each) for each in (*late.of(0, 2), *late.of(1, 2)))


def test_more_workers_later() -> None:
    """Sets may be added while others listen, and all of them may be told to again."""
    with closing(SharedSockets(Server(port=0))) as sockets:
        sockets.of(0, 1)
        sockets.listen()
        added = sockets.of(1, 2)
        sockets.listen()
        assert all(_listens(each) for each in (*sockets.of(0, 2), *added))


def _listens(each: socket.socket) -> bool:
    return bool(each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
