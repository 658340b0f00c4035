"""A gateway whose place others have taken: what is under way ends as it would have."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from gateway.assembly import standalone
from gateway.server import serving
from gateway.sockets import address, bind
from gateway.wire.limits import Limits
from tests.parts import raw_provider
from tests.parts.calls import CHAT, DONE, HELLO, STREAM, at, ends_at, never_end
from tests.parts.gateways import Wire, build_config
from tests.parts.raw_client import connected, post
from tests.parts.recorded import outcomes
from tests.parts.waiting import PATIENCE

LIMITS = Limits(leave=0.05, linger=0.1)


class Retired(msgspec.Struct, frozen=True):
    """`end`: to be set when it comes for the gateway too. `going`: done when the gateway is gone.
    `pieces`: what is still to come of a stream under way."""

    end: asyncio.Event
    going: asyncio.Future[bool | None]
    pieces: AsyncIterator[bytes]


@asynccontextmanager
async def retired(
    folder: Path, script: raw_provider.Script, wire: Wire, drain: str
) -> AsyncIterator[Retired]:
    """A gateway that was replaced during a stream, and has closed the connections that waited."""
    async with raw_provider.serving(script) as provider:
        config = build_config(folder, [at(provider)], server={"wire": wire, "drain": drain})
        [listening] = bind(config.server)
        with listening:
            life = serving(config, [listening], standalone, LIMITS)
            gateway = await life.__aenter__()
            gateway.retired_until = end = asyncio.Event()
            origin = address(config.server, [listening])
            async with connected(origin) as client, connected(origin) as waiting:
                client.send(post(STREAM))
                _, headers = await client.head()
                pieces = client.pieces(headers)
                assert await anext(pieces) == HELLO
                going = asyncio.ensure_future(life.__aexit__(None, None, None))
                assert await waiting.is_closed()
                yield Retired(end, going, pieces)


async def test_a_long_stream_goes_on(tmp_path: Path, wire: Wire) -> None:
    """`drain` is for the end: who only makes room for others cuts nothing."""
    stopping = asyncio.Event()
    async with retired(tmp_path, ends_at(stopping), wire, "1ms") as gateway:
        done, _ = await asyncio.wait([gateway.going], timeout=0.2)
        assert not done
        stopping.set()
        assert [piece async for piece in gateway.pieces] == [DONE, b""]
        await asyncio.wait_for(gateway.going, PATIENCE)
    assert await outcomes(tmp_path) == ["ok"]


async def test_the_end_of_who_was_replaced(tmp_path: Path, wire: Wire) -> None:
    """When the end comes what is still under way has `drain` to finish, and settles as
    cancelled."""
    async with retired(tmp_path, never_end, wire, "100ms") as gateway:
        assert not gateway.going.done()
        gateway.end.set()
        await asyncio.wait_for(gateway.going, PATIENCE)
        assert [piece async for piece in gateway.pieces] == []
    assert await outcomes(tmp_path) == ["cancelled"]


async def test_who_reads_late_gets_all_of_the_answer(tmp_path: Path, wire: Wire) -> None:
    """A call has ended when its answer is written; the gateway waits until the client has it."""
    body = b"x" * 40_000
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    async with raw_provider.serving(raw_provider.answers(answer)) as provider:
        config = build_config(tmp_path, [at(provider)], server={"wire": wire})
        [listening] = bind(config.server)
        with listening, socket.socket() as client:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)  # the least there is
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            life = serving(config, [listening], standalone, LIMITS)
            gateway = await life.__aenter__()
            gateway.retired_until = asyncio.Event()
            received = await asked(client, listening.getsockname())
            going = asyncio.ensure_future(life.__aexit__(None, None, None))
            done, _ = await asyncio.wait([going], timeout=0.5)
            assert not done
            loop = asyncio.get_running_loop()
            while piece := await loop.sock_recv(client, 1 << 16):
                received += piece
            await asyncio.wait_for(going, PATIENCE)
    assert received.endswith(b"\r\n\r\n" + body)


async def asked(client: socket.socket, address: tuple[str, int]) -> bytes:
    """The first byte of the answer."""
    loop = asyncio.get_running_loop()
    client.setblocking(False)
    await loop.sock_connect(client, address)
    await loop.sock_sendall(client, post(CHAT))
    return await loop.sock_recv(client, 1)
