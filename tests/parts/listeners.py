"""A fast edge by itself, without a gateway behind it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, cast

import msgspec

from gateway.calls.endpoint import Target, parse_target
from gateway.calls.request import Request
from gateway.wire.downstream import Downstream
from gateway.wire.edge import Edge
from gateway.wire.limits import LIMITS, Limits
from gateway.wire.listener import Listener
from gateway.wire.trusted_proxies import TrustedProxies

Handle = Callable[[Request, Target, Downstream], Coroutine[Any, Any, None]]


class Echo(asyncio.Protocol):
    """Stands for aiohttp's protocol, which connections are handed over to."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)


class LoneEdge(msgspec.Struct, frozen=True):
    """Where it listens, what its connections share, and those there were."""

    origin: str
    listener: Listener
    edges: list[Edge]


@asynccontextmanager
async def lone_edge(handle: Handle, limits: Limits = LIMITS) -> AsyncIterator[LoneEdge]:
    """One whose calls `handle` answers, and that knows everybody."""
    listener, edges = _listener(handle, limits), list[Edge]()

    def accept() -> Edge:
        edges.append(Edge(listener))
        return edges[-1]

    server = await asyncio.get_running_loop().create_server(accept, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield LoneEdge(f"http://127.0.0.1:{port}", listener, edges)
        await listener.drain(0)


def _listener(handle: Handle, limits: Limits) -> Listener:
    return Listener(
        route=parse_target,
        handle=handle,
        refuse=lambda *_: None,
        knows=lambda _: True,
        commit=lambda: None,
        fallback=asyncio.Protocol,
        proxies=TrustedProxies(()),
        max_body=1000,
        limits=limits,
    )
