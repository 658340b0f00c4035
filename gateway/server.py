"""One running process: its socket, its signals, and an end that loses nothing.

SIGTERM and SIGINT drain: no longer ready, no new connections, what is under way may finish within
`server.drain`; then it is cancelled, settles as cancelled, and the journal is shipped.
"""

import asyncio
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from gateway.app import GATEWAY, Gateway, create_app, hot_target
from gateway.config import Config, Server, Tls
from gateway.wire.edge import Edge, Listener

_BACKLOG = 1024
_KEEPALIVE = 75.0
_CLOSING = 1.0
"""Seconds for aiohttp to close its connections, once no call is under way."""


async def serve(config: Config, announce: Callable[[str], None]) -> None:
    """Run until a signal says stop; `announce` is given the address once it is listening."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with running(config) as url:
        announce(url)
        await stop.wait()


@asynccontextmanager
async def running(config: Config) -> AsyncIterator[str]:
    """A gateway that listens for as long as the context is open; gives its address.

    OSError when the address cannot be bound.
    """
    app = create_app(config)
    runner = web.AppRunner(
        app,
        access_log=None,
        auto_decompress=False,
        handler_cancellation=True,
        keepalive_timeout=_KEEPALIVE,
        shutdown_timeout=_CLOSING,
    )
    await runner.setup()
    gateway = app[GATEWAY]
    listener = _listener(gateway, runner)
    try:
        server = await _listen(config.server, listener)
        try:
            yield _address(config.server, server.sockets[0])
        finally:
            gateway.draining = True
            server.close()
            seconds = config.server.drain
            await asyncio.gather(listener.drain(seconds), gateway.drain(seconds))
    finally:
        await runner.cleanup()


def _listener(gateway: Gateway, runner: web.AppRunner) -> Listener:
    aiohttp_server = runner.server
    assert aiohttp_server is not None, "the runner is set up"
    return Listener(
        route=hot_target,
        handle=gateway.proxy.handle,
        fallback=aiohttp_server,
        max_body=gateway.config.server.max_body,
        patience=_KEEPALIVE,
    )


async def _listen(server: Server, listener: Listener) -> asyncio.Server:
    """Bind, with the fast edge in front of aiohttp unless `server.wire` says aiohttp alone."""
    protocol = listener.fallback if server.wire == "aiohttp" else lambda: Edge(listener)
    return await asyncio.get_running_loop().create_server(
        protocol, server.host, server.port, backlog=_BACKLOG, ssl=_tls(server.tls)
    )


def _address(server: Server, bound: socket.socket) -> str:
    host = f"[{server.host}]" if ":" in server.host else server.host
    return f"{'https' if server.tls else 'http'}://{host}:{bound.getsockname()[1]}"


def _tls(tls: Tls | None) -> ssl.SSLContext | None:
    if tls is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tls.cert, tls.key)
    return context
