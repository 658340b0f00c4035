"""What the connections of one listening socket share, and how all of them end."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Protocol

from gateway.calls.endpoint import Target
from gateway.calls.head import Head
from gateway.calls.request import Request
from gateway.errors import GatewayError
from gateway.wire.downstream import Downstream
from gateway.wire.limits import Limits
from gateway.wire.outbox import Outbox
from gateway.wire.trusted_proxies import TrustedProxies


class ClientConnection(Protocol):
    """Three ways to end, each more firmly than the one before."""

    def retire(self) -> None:
        """Take one more request at most: the answer to it says that it was the last."""

    def stop(self) -> None:
        """Take no further request; one under way may end."""

    def abort(self) -> None:
        """End at once, and with it the answer under way."""


_Ending = Callable[[ClientConnection], None]


class Listener:
    """What the connections of one listening socket share.

    `route` gives the target of a POST that goes to a provider, None for anything else; `handle`
    answers it, and `refuse` one whose body did not come; `knows` tells whether a head is
    of somebody whose body may be waited for; `commit` makes their records safe; `fallback` makes
    aiohttp's protocol for a connection; `proxies` may speak for clients.
    """

    def __init__(
        self,
        route: Callable[[str], Target | None],
        handle: Callable[[Request, Target, Downstream], Coroutine[Any, Any, None]],
        refuse: Callable[[Request, Target, GatewayError, Downstream], None],
        knows: Callable[[Head], bool],
        commit: Callable[[], None],
        fallback: Callable[[], asyncio.Protocol],
        proxies: TrustedProxies,
        max_body: int,
        limits: Limits,
    ) -> None:
        self.route = route
        self.handle = handle
        self.refuse = refuse
        self.knows = knows
        self.outbox = Outbox(commit)
        self.fallback = fallback
        self.proxies = proxies
        self.max_body = max_body
        self.limits = limits
        self._ending: _Ending | None = None
        self._connections: set[ClientConnection] = set()
        self._all_left = asyncio.Event()

    def entered(self, connection: ClientConnection) -> None:
        """A connection is to be served."""
        self._connections.add(connection)
        self._all_left.clear()
        if self._ending is not None:  # as its TLS handshake took until now
            self._ending(connection)

    def left(self, connection: ClientConnection) -> None:
        """It is closed and its last call settled, or it is aiohttp's."""
        self._connections.discard(connection)
        if not self._connections:
            self._all_left.set()

    async def drain(self, seconds: float, grace: float = 0.0) -> None:
        """Let answers under way finish, and end those that take longer than `seconds`.

        Connections that wait are closed after `grace` seconds; until then a client that sends
        something on one is answered and told to close it, so that none meets a closed door.
        """
        for ending, patience in ((_retire, grace), (_stop, seconds), (_abort, None)):
            self._ending = ending
            for connection in tuple(self._connections):
                ending(connection)
            with suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._none_left()

    async def _none_left(self) -> None:
        if self._connections:
            await self._all_left.wait()


def _retire(connection: ClientConnection) -> None:
    connection.retire()


def _stop(connection: ClientConnection) -> None:
    connection.stop()


def _abort(connection: ClientConnection) -> None:
    connection.abort()
