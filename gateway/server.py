"""Serving on sockets: the edges in front of a gateway, and an end that loses nothing.

At the end it drains: no longer ready, no new connections, what is under way may finish within
`server.drain`; then it is cancelled, and settles as cancelled. Where others have taken its place,
what is under way may finish first, however long that takes.
"""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import ExitStack, asynccontextmanager

from aiohttp import web

from gateway.app import GATEWAY, create_app, hot_target
from gateway.assembly import Gateway, Lifespan, standalone
from gateway.config import Config, Server
from gateway.sockets import BACKLOG, address, bind, tls_context
from gateway.wire.aiohttp_protocol import ClientProtocol, protocols
from gateway.wire.edge import Edge
from gateway.wire.limits import LIMITS, Limits
from gateway.wire.listener import Listener
from gateway.wire.trusted_proxies import TrustedProxies

_LOOK_EVERY = 0.02
_CLOSING = 1.0
"""Seconds for aiohttp to close its connections, once no call is under way."""

_ANY_CALL = 86_400.0
"""Seconds that no call takes."""


@asynccontextmanager
async def running(config: Config, limits: Limits = LIMITS) -> AsyncIterator[str]:
    """A standalone gateway in this process, for as long as the context is open; gives its address.

    OSError when the address cannot be bound.
    """
    with ExitStack() as open_sockets:
        sockets = [open_sockets.enter_context(each) for each in bind(config.server)]
        async with serving(config, sockets, standalone, limits):
            try:
                yield address(config.server, sockets)
            finally:
                open_sockets.close()


@asynccontextmanager
async def serving(
    config: Config, sockets: Sequence[socket.socket], lifespan: Lifespan, limits: Limits = LIMITS
) -> AsyncIterator[Gateway]:
    """A gateway built by `lifespan` that accepts on `sockets`, which are their owner's to close."""
    app = create_app(config, limits, lifespan)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=_CLOSING)
    await runner.setup()
    gateway = app[GATEWAY]
    listener = _listener(gateway, runner, limits)
    try:
        servers = [await _listen(config.server, each.dup(), listener) for each in sockets]
        try:
            yield gateway
        finally:
            gateway.draining = True
            for server in servers:
                server.close()
            if gateway.retired_until is not None:
                retiring = _drain(gateway, listener, runner, _ANY_CALL, limits.leave)
                await _unless(gateway.retired_until, retiring)
            await _drain(gateway, listener, runner, config.server.drain)
    finally:
        await runner.cleanup()


async def _drain(
    gateway: Gateway, listener: Listener, runner: web.AppRunner, seconds: float, grace: float = 0.0
) -> None:
    """Both edges' calls have the same `seconds` to finish and to reach their clients, after `grace`
    seconds for clients to leave, in which some may begin."""
    until = time.monotonic() + grace + seconds
    await asyncio.gather(listener.drain(seconds, grace), _stop_waiting(runner, grace))
    await gateway.drain(max(0.0, until - time.monotonic()))
    await _until_sent(runner, max(0.0, until - time.monotonic()))


async def _unless(event: asyncio.Event, work: Coroutine[object, object, None]) -> None:
    """Do `work` to its end, or until `event` is set."""
    working, waiting = asyncio.create_task(work), asyncio.create_task(event.wait())
    await asyncio.wait((working, waiting), return_when=asyncio.FIRST_COMPLETED)
    for task in (working, waiting):
        task.cancel()
    await asyncio.wait((working, waiting))
    if not working.cancelled():
        working.result()


async def _stop_waiting(runner: web.AppRunner, seconds: float) -> None:
    """After `seconds`, nobody gets a call in on a connection that aiohttp serves."""
    await _until(lambda: not _connections(runner), seconds)
    for connection in _connections(runner):
        connection.stop()


async def _until_sent(runner: web.AppRunner, seconds: float) -> None:
    """Wait until aiohttp's clients have taken their answers, or `seconds` are over."""
    await _until(lambda: not any(each.is_sending for each in _connections(runner)), seconds)


async def _until(condition: Callable[[], bool], seconds: float) -> None:
    """Wait until it holds, or `seconds` are over; of what aiohttp does there are no events."""
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:  # noqa: ASYNC110
        await asyncio.sleep(_LOOK_EVERY)


def _connections(runner: web.AppRunner) -> list[ClientProtocol]:
    """Those that aiohttp serves."""
    aiohttp_server = runner.server
    connections = aiohttp_server.connections if aiohttp_server else ()
    return [each for each in connections if isinstance(each, ClientProtocol)]


def _listener(gateway: Gateway, runner: web.AppRunner, limits: Limits) -> Listener:
    aiohttp_server = runner.server
    assert aiohttp_server is not None, "the runner is set up"
    proxies = TrustedProxies(gateway.config.server.trusted_proxies)
    return Listener(
        route=hot_target,
        handle=gateway.handle,
        refuse=gateway.proxy.refuse,
        knows=gateway.context.keyring.knows,
        commit=gateway.ledger.recorder.commit,
        fallback=protocols(aiohttp_server, limits, proxies),
        proxies=proxies,
        max_body=gateway.config.server.max_body,
        limits=limits,
    )


async def _listen(server: Server, listening: socket.socket, listener: Listener) -> asyncio.Server:
    """With the fast edge in front of aiohttp, unless `server.wire` says aiohttp alone."""
    protocol = listener.fallback if server.wire == "aiohttp" else lambda: Edge(listener)
    return await asyncio.get_running_loop().create_server(
        protocol,
        sock=listening,
        backlog=BACKLOG,
        ssl=tls_context(server.tls),
        ssl_handshake_timeout=listener.limits.head if server.tls else None,
    )
