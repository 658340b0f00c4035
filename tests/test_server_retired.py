"""A gateway whose place others have taken: what is under way ends as it would have."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from gateway.assembly import standalone
from gateway.server import serving
from gateway.sockets import address, bind
from gateway.wire.limits import Limits
from tests.parts import raw_provider
from tests.parts.calls import DONE, HELLO, STREAM, at, ends_at, never_end
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
