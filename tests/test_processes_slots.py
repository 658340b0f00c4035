"""The sockets that workers share, and that no other program does."""

import socket

import pytest

from gateway.config import Server
from gateway.processes.slots import Slots


def port_of(slots: Slots) -> int:
    """Where they are bound."""
    return int(slots.address.rpartition(":")[2])


def test_two_programs_at_once() -> None:
    """Of two that were bound before either listened, one has the address, and no call of its."""
    with Slots(Server(port=0)) as first, Slots(Server(port=port_of(first))) as late:
        for slots in (first, late):
            assert len(slots.of(0, 2)) == len(slots.of(1, 2)) == 1
        first.listen()
        with pytest.raises(OSError, match=rf"127.0.0.1:{port_of(first)}: address already in use"):
            late.listen()
        assert not any(_listens(each) for each in (*late.of(0, 2), *late.of(1, 2)))


def test_more_workers_later() -> None:
    """Sets may be added while others listen, and all of them may be told to again."""
    with Slots(Server(port=0)) as slots:
        slots.of(0, 1)
        slots.listen()
        added = slots.of(1, 2)
        slots.listen()
        assert all(_listens(each) for each in (*slots.of(0, 2), *added))


def _listens(each: socket.socket) -> bool:
    return bool(each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
