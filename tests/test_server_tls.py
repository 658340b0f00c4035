"""The end of a gateway whose clients speak TLS, and do not close when they are told to."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from pathlib import Path

from gateway.server import running
from gateway.wire.limits import Limits
from tests.parts import raw_provider
from tests.parts.calls import CHAT, DONE, HELLO, STREAM, Requests, at, ends_at, whole
from tests.parts.certificates import tls_section, trusting
from tests.parts.gateways import Wire, build_config
from tests.parts.raw_client import post, until_refused
from tests.parts.waiting import PATIENCE

SOON = 20.0
"""Seconds; uvloop by itself waits 30 s for a client to close as well."""


@asynccontextmanager
async def connected(
    folder: Path, script: raw_provider.Script, wire: Wire
) -> AsyncIterator[tuple[AbstractAsyncContextManager[str], str, ssl.SSLSocket]]:
    """A gateway that has begun, its address, and a connection to it."""
    async with raw_provider.serving(script) as provider:
        server = {"wire": wire, "drain": "60s", "tls": tls_section(folder)}
        gateway = running(build_config(folder, [at(provider)], server=server), Limits(linger=0.1))
        origin = await gateway.__aenter__()
        with closing(await asyncio.to_thread(connect, origin)) as client:
            yield gateway, origin, client


def connect(origin: str) -> ssl.SSLSocket:
    """A client that hears of a connection's end only when it reads, as one of httpx does."""
    host, _, port = origin.removeprefix("https://").partition(":")
    direct = socket.create_connection((host, int(port)), PATIENCE)
    return trusting().wrap_socket(direct, server_hostname=host, suppress_ragged_eofs=False)


def read_to(client: ssl.SSLSocket, last: bytes) -> None:
    """All that comes, until it ends like this."""
    received = b""
    while not received.endswith(last):
        received += (piece := client.recv(1 << 16))
        assert piece


async def test_who_waits_is_not_waited_for(tmp_path: Path, wire: Wire) -> None:
    """A connection kept for the next call does not hold the end up; it ends with close_notify."""
    async with connected(tmp_path, Requests(whole(b"{}")), wire) as (gateway, _, client):
        await asyncio.to_thread(client.sendall, post(CHAT))
        await asyncio.to_thread(read_to, client, b"{}")
        await asyncio.wait_for(gateway.__aexit__(None, None, None), SOON)
        assert await asyncio.to_thread(client.recv, 1) == b""


async def test_who_has_the_answer_is_not_waited_for(tmp_path: Path, wire: Wire) -> None:
    """Nor does that of a call which was under way, once the client has all of the answer."""
    stopping = asyncio.Event()
    async with connected(tmp_path, ends_at(stopping), wire) as (gateway, origin, client):
        await asyncio.to_thread(client.sendall, post(STREAM))
        await asyncio.to_thread(read_to, client, HELLO + b"\r\n")
        end = asyncio.ensure_future(gateway.__aexit__(None, None, None))
        await until_refused(origin)
        stopping.set()
        await asyncio.to_thread(read_to, client, DONE + b"\r\n0\r\n\r\n")
        await asyncio.wait_for(end, SOON)
        assert await asyncio.to_thread(client.recv, 1) == b""
