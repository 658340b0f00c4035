"""What a lost connection held is free at once: the garbage collector looks seldom."""

import asyncio

import pytest

from gateway.calls.endpoint import Target
from gateway.calls.request import Request
from gateway.wire.connection import Connection
from gateway.wire.downstream import Downstream
from gateway.wire.driver import Pause
from gateway.wire.edge import Edge
from tests.parts.exchanges import GET, Body, relay
from tests.parts.listeners import lone_edge
from tests.parts.raw_client import connected, post
from tests.parts.raw_provider import OK, answers, serving
from tests.parts.uncollected import count_of, uncollected
from tests.parts.waiting import until

BODY = b'{"model":"gpt-4o-mini"}'
BEGUN = {
    "nothing": b"",
    "half a head": post(BODY)[:9],
    "half a body": post(b"a" * 900)[:-400],
    "a call": post(BODY),
    "what aiohttp is to serve": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("begun", BEGUN.values(), ids=BEGUN)
async def test_a_client_that_leaves(begun: bytes) -> None:
    """Its connection goes, with what was read of its request, which may be much."""

    async def last(request: Request, target: Target, client: Downstream) -> None:
        await Pause()

    with uncollected():
        async with lone_edge(last) as edge:
            async with connected(edge.origin) as client:
                client.send(begun)
                await until(lambda: bool(edge.edges))
            edge.edges.clear()
            await until(lambda: count_of(Edge) == count_of(Request) == 0)


@pytest.mark.parametrize("answer", [OK, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"])
async def test_a_provider_that_is_left(answer: bytes) -> None:
    """Its connection goes, after an answer and within one: TLS alone holds 30 KiB."""
    with uncollected():
        async with serving(answers(answer)) as provider:
            upstream = provider.upstream()
            relaying = asyncio.create_task(relay(await upstream.send(GET, b""), Body()))
            await asyncio.sleep(0)
            relaying.cancel()
            await asyncio.wait([relaying])
            await upstream.close()
            await until(lambda: count_of(Connection) == 0)
