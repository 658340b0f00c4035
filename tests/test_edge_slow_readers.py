"""Answers of the fast edge that are more than their client takes at once."""

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from gateway.calls.endpoint import Target
from gateway.calls.request import Request
from gateway.errors import GatewayError
from gateway.wire.downstream import Downstream
from gateway.wire.edge import Edge
from gateway.wire.limits import Limits
from gateway.wire.listener import Listener
from tests.parts.certificates import tls_for, trusting
from tests.parts.listeners import Echo, Handle, lone_edge
from tests.parts.raw_client import RawClient, post

SMALL = b'{"model":"gpt-4o-mini"}'
OTHER = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
KIBIBYTE = bytes(1 << 10)
LARGE = 16 << 20


@contextlib.asynccontextmanager
async def connected_twice(origin: str) -> AsyncIterator[tuple[RawClient, socket.socket]]:
    """A client, and its socket: what that sends is with the edge at once, within the same turn."""
    address = urlsplit(origin)
    with socket.create_connection((address.hostname, address.port)) as direct:
        reader, writer = await asyncio.open_connection(sock=direct.dup())
        yield RawClient(reader, writer), direct
        writer.transport.abort()


def answering_largely(then: bytes, sockets: list[socket.socket]) -> Handle:
    """Answers with much; before a byte of that goes out, its client has sent `then`."""

    async def answer(request: Request, target: Target, client: Downstream) -> None:
        await asyncio.create_task(asyncio.sleep(0))
        client.start(200, [], LARGE)
        client.write(bytes(LARGE))
        client.finish()
        sockets[0].send(then)

    return answer


@pytest.mark.parametrize("begun", [post(SMALL)[:-1], post(SMALL)[:10]], ids=["body", "head"])
async def test_half_a_request_behind_an_answer_that_is_taken_slowly(begun: bytes) -> None:
    """Once the answer is taken, the request has its time and no more: not that of idle clients."""
    sockets: list[socket.socket] = []

    def refuse(request: Request, target: Target, error: GatewayError, client: Downstream) -> None:
        client.start(error.status, [], 0)
        client.finish()

    limits = Limits(head=0.2, body=0.2, idle=60, linger=0.1)
    async with lone_edge(answering_largely(begun, sockets), limits) as lone:
        lone.listener.refuse = refuse
        async with connected_twice(lone.origin) as (client, direct):
            sockets.append(direct)
            client.send(post(SMALL))
            assert len((await client.answer()).body) == LARGE
            assert (await client.answer()).status == 408
            assert await client.is_closed()


async def test_a_connection_that_is_handed_over_behind_a_large_answer() -> None:
    """It is no more the fast edge's to end, which it is once the client has taken the answer."""
    sockets: list[socket.socket] = []
    limits = Limits(answer=0.1, idle=60)
    async with lone_edge(answering_largely(OTHER, sockets), limits) as lone:
        lone.listener.fallback = Echo
        async with connected_twice(lone.origin) as (client, direct):
            sockets.append(direct)
            client.send(post(SMALL))
            assert len((await client.answer()).body) == LARGE
            assert await client.some() == OTHER
            await asyncio.sleep(3 * limits.answer)  # nothing shows that no time is running any more
            client.send(b"more")
            assert await client.some() == b"more"


ENDINGS = pytest.mark.parametrize("fields", [[], ["Connection: close"]], ids=["kept", "closing"])


class Gate:
    """What a slow client holds up."""

    def __init__(self) -> None:
        self.is_held, self.is_released = asyncio.Event(), asyncio.Event()

    def pause(self) -> None:
        self.is_held.set()

    def resume(self) -> None:
        self.is_released.set()


@contextlib.asynccontextmanager
async def narrowly_connected(
    listener: Listener, tls: ssl.SSLContext | None = None
) -> AsyncIterator[socket.socket]:
    """A client's socket. What is under way to it waits in the edge, as kernels take but little."""
    with socket.socket() as listening, socket.socket() as client:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        client.connect(listening.getsockname())
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        async with await loop.create_server(lambda: Edge(listener), sock=listening, ssl=tls):
            yield client


async def write_as_much_as_can_wait(client: Downstream, gate: Gate) -> None:
    """An answer that ends as soon as it may: what is left of it then is just not held up."""
    client.start(200, [], None)
    client.connect_flow(gate)
    while not gate.is_held.is_set():
        client.write(KIBIBYTE)
        await asyncio.sleep(0)
    await gate.is_released.wait()
    for _ in range(190):
        client.write(KIBIBYTE)
    client.connect_flow(None)
    client.finish()


@ENDINGS
async def test_the_rest_of_an_answer_that_has_ended(fields: list[str]) -> None:
    """Who is slow to take it has the time of an answer, not that between requests or at the end."""
    gate, ended = Gate(), asyncio.Event()

    async def answer(request: Request, target: Target, client: Downstream) -> None:
        await asyncio.create_task(write_as_much_as_can_wait(client, gate))
        ended.set()

    limits = Limits(idle=0.1, linger=0.1)
    loop = asyncio.get_running_loop()
    async with lone_edge(answer, limits) as lone, narrowly_connected(lone.listener) as client:
        client.send(post(SMALL, "/v1/files", *fields))
        await gate.is_held.wait()
        while not ended.is_set():
            await loop.sock_recv(client, 1024)
            await asyncio.sleep(0)
        await asyncio.sleep(3 * limits.linger)  # it reads nothing while either time runs out
        last = b"?"
        while last and not last.endswith(b"\r\n0\r\n\r\n"):
            last = await loop.sock_recv(client, 1 << 16)
        assert last


def taken_late(connection: socket.socket, request: bytes, size: int) -> int:
    """How much of an answer of `size` bytes a client gets that waits before it reads."""
    connection.setblocking(True)
    with trusting().wrap_socket(connection, server_hostname="localhost") as client:
        client.sendall(request)
        time.sleep(0.3)
        taken = 0
        while taken < size and (data := client.recv(size)):
            taken += len(data)
    return taken


@ENDINGS
async def test_the_rest_of_an_answer_in_tls(fields: list[str]) -> None:
    """It is not lost either, though below TLS nobody can see it wait."""
    size = 60 * len(KIBIBYTE)

    async def answer(request: Request, target: Target, client: Downstream) -> None:
        client.start(200, [], size)
        client.write(bytes(size))
        client.finish()

    limits = Limits(idle=0.1, linger=0.1)
    asked = post(SMALL, "/v1/files", *fields)
    async with (
        lone_edge(answer, limits) as lone,
        narrowly_connected(lone.listener, tls_for("localhost")) as connection,
    ):
        assert await asyncio.to_thread(taken_late, connection, asked, size) >= size
