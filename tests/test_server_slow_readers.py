"""A gateway that ends while it still has what a client is slow to read."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import msgspec
import pytest

from gateway.assembly import standalone
from gateway.server import serving
from gateway.sockets import bind
from gateway.wire.limits import LIMITS, Limits
from tests.parts import raw_provider
from tests.parts.calls import CHAT, at, whole
from tests.parts.certificates import tls_section, trusting
from tests.parts.gateways import Wire, build_config
from tests.parts.raw_client import post
from tests.parts.recorded import outcomes
from tests.parts.waiting import PATIENCE

BODY = b"x" * 40_000
"""More than kernels are told to take, and less than would hold up the call itself."""

SCHEMES = pytest.mark.parametrize("scheme", ["http", "https"])


class Ending(msgspec.Struct, frozen=True):
    """`going`: done when the gateway is gone. `client`: has read one byte of the answer."""

    going: asyncio.Future[bool | None]
    client: socket.socket


@asynccontextmanager
async def ending(
    folder: Path,
    server: dict[str, object],
    limits: Limits = LIMITS,
    retired_until: asyncio.Event | None = None,
) -> AsyncIterator[Ending]:
    """A gateway whose end begins when an answer has."""
    async with raw_provider.serving(raw_provider.answers(whole(BODY))) as provider:
        config = build_config(folder, [at(provider)], server=server)
        [listening] = bind(config.server)
        with listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)  # the least there is
            life = serving(config, [listening], standalone, limits)
            gateway = await life.__aenter__()
            asking = asyncio.to_thread(ask, listening.getsockname(), is_tls="tls" in server)
            with closing(await asking) as client:
                gateway.retired_until = retired_until
                yield Ending(asyncio.ensure_future(life.__aexit__(None, None, None)), client)
    assert await outcomes(folder) == ["ok"]


def served(folder: Path, wire: Wire, scheme: str, drain: str) -> dict[str, object]:
    """The section of a configuration."""
    tls = {"tls": tls_section(folder)} if scheme == "https" else {}
    return {"wire": wire, "drain": drain, **tls}


def ask(address: tuple[str, int], *, is_tls: bool) -> socket.socket:
    """A client that has read the first byte of an answer."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    client.settimeout(PATIENCE)
    client.connect(address)
    if is_tls:
        client = trusting().wrap_socket(client, server_hostname=address[0])
    client.sendall(post(CHAT))
    assert client.recv(1) == b"H"
    return client


def rest(client: socket.socket) -> bytes:
    """Everything until the gateway closes."""
    return b"".join(iter(lambda: client.recv(1 << 16), b""))


@SCHEMES
async def test_who_reads_late_gets_all_of_the_answer(
    tmp_path: Path, wire: Wire, scheme: str
) -> None:
    """A call has ended when its answer is written; the gateway waits until the client has it."""
    async with ending(tmp_path, served(tmp_path, wire, scheme, "60s")) as gateway:
        done, _ = await asyncio.wait([gateway.going], timeout=0.5)
        assert not done
        assert (await asyncio.to_thread(rest, gateway.client)).endswith(b"\r\n\r\n" + BODY)
        await asyncio.wait_for(gateway.going, PATIENCE)


@SCHEMES
async def test_who_reads_nothing_has_no_more_than_others(
    tmp_path: Path, wire: Wire, scheme: str
) -> None:
    """What is written has the same `drain` to go out as what is not."""
    async with ending(tmp_path, served(tmp_path, wire, scheme, "100ms")) as gateway:
        await asyncio.wait_for(gateway.going, PATIENCE)
        assert not (await asyncio.to_thread(rest, gateway.client)).endswith(BODY)


@SCHEMES
async def test_who_reads_nothing_does_not_keep_who_was_replaced(
    tmp_path: Path, wire: Wire, scheme: str
) -> None:
    """There `drain` counts for nothing: it has the time that a client has to take an answer."""
    limits = Limits(idle=0.1, answer=0.1, leave=0.1)
    server = served(tmp_path, wire, scheme, "60s")
    async with ending(tmp_path, server, limits, asyncio.Event()) as gateway:
        await asyncio.wait_for(gateway.going, PATIENCE)
        assert not (await asyncio.to_thread(rest, gateway.client)).endswith(BODY)
