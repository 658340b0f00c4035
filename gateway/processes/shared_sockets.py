"""The listening sockets: one set for each worker there ever was, open for as long as Hearth runs.

The kernel gives each new connection to one of the sets (SO_REUSEPORT, socket(7)), where it waits to
be accepted. So no set is closed before the end: what waits there is accepted by whoever comes next,
and a worker has several sets when there are fewer workers than there were. A set listens only when
there is somebody to accept.
"""

import socket
from collections.abc import Sequence

from gateway.config import Server
from gateway.sockets import BACKLOG, address, bind, bind_beside, listen_first


class SharedSockets:
    """The sockets of one address. OSError when it cannot be bound."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._sets = [bind(server)]

    @property
    def address(self) -> str:
        """The URL they listen on."""
        return address(self._server, self._sets[0])

    def of(self, slot: int, workers: int) -> Sequence[socket.socket]:
        """What the worker in a slot, counted from 0, of so many listens on."""
        while len(self._sets) < workers:
            self._sets.append([bind_beside(each) for each in self._sets[0]])
        return [each for one in self._sets[slot::workers] for each in one]

    def listen(self) -> None:
        """Let connections come to each set. OSError when another program listens there."""
        first, *others = self._sets
        for each in first:
            listen_first(each)
        for one in others:
            for each in one:
                each.listen(BACKLOG)

    def close(self) -> None:
        """Close all; connections stop coming once the workers have closed theirs too."""
        for one in self._sets:
            for each in one:
                each.close()
