"""What has been written to a client and is not with it yet, and a close that waits for no more."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest

from gateway.wire.unsent import close, unsent
from tests.parts.certificates import tls_for, trusting
from tests.parts.waiting import until

LITTLE = b"x" * 1_000
MUCH = b"x" * 40_000
"""More than kernels are told to take, and less than shows above TLS."""

SCHEMES = pytest.mark.parametrize("tls", [None, tls_for("localhost")], ids=["http", "https"])


class Server(asyncio.Protocol):
    """Keeps its transport, and notes the end of it."""

    def __init__(self) -> None:
        self.lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()


@asynccontextmanager
async def narrowly_connected(
    tls: ssl.SSLContext | None,
) -> AsyncIterator[tuple[Server, socket.socket]]:
    """A server's end of a connection, and a client that reads, and closes, when it is asked to."""
    server = Server()
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)  # the least there is
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        loop = asyncio.get_running_loop()
        async with await loop.create_server(lambda: server, sock=listening, ssl=tls):
            with await asyncio.to_thread(connect, listening.getsockname(), tls) as client:
                await until(lambda: hasattr(server, "transport"))
                yield server, client
                server.transport.abort()


def connect(address: tuple[str, int], tls: ssl.SSLContext | None) -> socket.socket:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    client.connect(address)
    return client if tls is None else trusting().wrap_socket(client, server_hostname="localhost")


def take(client: socket.socket, size: int) -> int:
    """Read so much."""
    taken = 0
    while taken < size and (piece := client.recv(size)):
        taken += len(piece)
    return taken


@SCHEMES
async def test_what_the_client_does_not_take(tls: ssl.SSLContext | None) -> None:
    """It is seen for as long as it waits, in TLS as well, and not when the connection is gone."""
    async with narrowly_connected(tls) as (server, client):
        await until(lambda: unsent(server.transport) == 0)
        server.transport.write(MUCH)
        assert unsent(server.transport) > 0
        await asyncio.sleep(0.1)  # nobody could say when it would have been taken
        assert unsent(server.transport) > 0
        assert await asyncio.to_thread(take, client, len(MUCH)) == len(MUCH)
        await until(lambda: unsent(server.transport) == 0)
        server.transport.abort()
        await server.lost.wait()
        assert unsent(server.transport) == 0


@SCHEMES
async def test_a_client_that_has_everything(tls: ssl.SSLContext | None) -> None:
    """It need not close as well for the connection to be gone."""
    async with narrowly_connected(tls) as (server, client):
        server.transport.write(LITTLE)
        assert await asyncio.to_thread(take, client, len(LITTLE)) == len(LITTLE)
        await until(lambda: unsent(server.transport) == 0)
        close(server.transport)
        async with asyncio.timeout(20):  # uvloop alone has TLS wait for 30 s
            await server.lost.wait()
        assert await asyncio.to_thread(client.recv, 1) == b""


@SCHEMES
async def test_a_client_that_has_not(tls: ssl.SSLContext | None) -> None:
    """What is unsent goes out before the close, even if it was written in the same turn."""
    async with narrowly_connected(tls) as (server, client):
        await until(lambda: unsent(server.transport) == 0)
        server.transport.write(MUCH)
        close(server.transport)
        assert await asyncio.to_thread(take, client, len(MUCH)) == len(MUCH)
        assert await asyncio.to_thread(client.recv, 1) == b""
