"""A client that leaves takes its call with it: at once, whatever the call was waiting for."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.parts.calls import HELLO, STREAM, STREAM_HEAD, chunk, read_request
from tests.parts.dead_ends import unanswered
from tests.parts.gateways import Wire, running_gateway
from tests.parts.http_world import world
from tests.parts.raw_client import RawClient, connected, post
from tests.parts.raw_provider import Peer
from tests.parts.recorded import next_generation
from tests.parts.waiting import PATIENCE, until


@pytest.mark.parametrize("leave", [RawClient.close, RawClient.reset], ids=["close", "reset"])
async def test_client_leaves_mid_stream(
    tmp_path: Path, wire: Wire, leave: Callable[[RawClient], None]
) -> None:
    """The provider sees the end before any time is up; what was said until then is estimated."""
    ended = asyncio.Event()

    async def talk(peer: Peer) -> None:
        await read_request(peer)
        peer.send(STREAM_HEAD + chunk(HELLO))
        await peer.wait_closed()
        ended.set()

    async with world(tmp_path, wire, talk) as here:
        here.client.send(post(STREAM))
        _, headers = await here.client.head()
        assert await anext(here.client.pieces(headers)) == HELLO
        leave(here.client)
        await asyncio.wait_for(ended.wait(), PATIENCE)
        record = await next_generation(here.gateway)
    assert (record["cancelled"], record["hearth"]["status"]) == (True, 200)
    assert record["hearth"]["usage_estimated"]
    assert record["tokens_prompt"] > 0
    assert record["tokens_completion"] > 0


async def test_client_leaves_before_the_head(tmp_path: Path, wire: Wire) -> None:
    """A call that waits for its provider is given up; its prompt was sent and is estimated."""
    ended = asyncio.Event()

    async def think(peer: Peer) -> None:
        await read_request(peer)
        await peer.wait_closed()
        ended.set()

    async with world(tmp_path, wire, think) as here:
        here.client.send(post(STREAM))
        await until(lambda: here.provider.requests == 1)
        here.client.close()
        await asyncio.wait_for(ended.wait(), PATIENCE)
        record = await next_generation(here.gateway)
    assert (record["cancelled"], record["hearth"]["status"]) == (True, 499)
    assert (record["provider_name"], record["external_user"]) == ("a", "user_1")
    assert record["hearth"]["usage_estimated"]
    assert record["tokens_prompt"] > 0


async def test_client_leaves_while_the_provider_waits(tmp_path: Path, wire: Wire) -> None:
    """A slow client that leaves frees a provider that was held back for it."""
    ended = asyncio.Event()
    size = 32 * 1024 * 1024

    async def flood(peer: Peer) -> None:
        await read_request(peer)
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"a" * size)
        assert await peer.is_stalled(0.2)
        ended.set()
        await peer.wait_closed()

    async with world(tmp_path, wire, flood) as here:
        here.client.send(post(STREAM))
        await asyncio.wait_for(ended.wait(), PATIENCE)
        here.client.reset()
        record = await next_generation(here.gateway)
        await here.provider.wait_closed()
    assert record["cancelled"]


async def test_client_leaves_while_connecting(tmp_path: Path, wire: Wire) -> None:
    """A call whose provider takes no connection is given up, long before that is an error."""
    with unanswered() as port:
        provider = {"name": "a", "base_url": f"http://127.0.0.1:{port}/v1"}
        async with running_gateway(tmp_path, [provider], server={"wire": wire}) as gateway:
            async with connected(gateway.origin) as client:
                await client.send_slowly(post(STREAM))
            record = await next_generation(gateway)
    assert (record["cancelled"], record["hearth"]["status"]) == (True, 499)
    assert record["provider_name"] == "a"
