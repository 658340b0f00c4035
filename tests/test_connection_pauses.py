"""An answer whose reader is slow: the connection waits for it, and is not taken for an idle one."""

import asyncio

import pytest

from tests.parts.exchanges import GET, Body, fetch, relay
from tests.parts.raw_provider import OK, Peer, answers, serving
from tests.parts.waiting import until

MEBIBYTE = b"a" * (1 << 20)


async def flood(peer: Peer) -> None:
    """Send 64 MiB, and wait until the client takes no more of it."""
    await peer.head()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (64 * len(MEBIBYTE)))
    for _ in range(64):
        peer.send(MEBIBYTE)
    while not await peer.is_stalled(0.15):
        pass


async def test_paused_it_reads_no_more() -> None:
    """A paused response takes a bounded part of the body, and then the rest."""
    body = Body()

    def pausing(data: bytes, end: bool) -> None:
        body(data, end)
        if len(body.pieces) == 1:
            response.pause()

    async def script(peer: Peer) -> None:
        await flood(peer)
        stalled_at.append(len(body.data))
        response.resume()
        await peer.wait_closed()

    stalled_at: list[int] = []
    async with serving(script) as provider:
        response = await provider.upstream().send(GET, b"")
        await relay(response, pausing)
    assert stalled_at[0] < len(MEBIBYTE)
    assert len(body.data) == 64 * len(MEBIBYTE)


async def test_not_relayed_it_reads_no_more() -> None:
    """Before it is relayed a bounded part of the body is read; a pause by then outlasts that."""
    body = Body()

    async def script(peer: Peer) -> None:
        await flood(peer)
        response.pause()
        relaying.append(asyncio.create_task(relay(response, body)))
        assert await peer.is_stalled(0.15)
        stalled_at.append(len(body.data))
        response.resume()
        await peer.wait_closed()

    stalled_at: list[int] = []
    relaying: list[asyncio.Task[None]] = []
    async with serving(script) as provider:
        response = await provider.upstream().send(GET, b"")
        await until(lambda: bool(stalled_at))
        await relaying[0]
    assert stalled_at[0] < len(MEBIBYTE)
    assert len(body.data) == 64 * len(MEBIBYTE)


@pytest.mark.parametrize("is_relayed", [True, False])
async def test_who_waits_for_its_reader_is_not_timed_out(is_relayed: bool) -> None:
    """Be it one that paused it, or one that is yet to come."""
    body, half = Body(), b"a" * 500
    moments = asyncio.Event(), asyncio.Event()

    def pausing(data: bytes, end: bool) -> None:
        body(data, end)
        if not end:
            response.pause()

    async def script(peer: Peer) -> None:
        await peer.head()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for moment in moments:
            await moment.wait()
            peer.send(half)
        await peer.wait_closed()

    async with serving(script) as provider:
        response = await provider.upstream(idle=0.3).send(GET, b"")
        relaying = asyncio.create_task(relay(response, pausing)) if is_relayed else None
        moments[0].set()
        await asyncio.sleep(0.4)  # longer than it may be idle
        moments[1].set()
        await asyncio.sleep(0)
        response.resume()
        await (relaying or relay(response, body))
    assert body.data == half + half


async def test_paused_at_the_end_it_still_serves() -> None:
    """A pause concerns one answer: the connection's next one is read again."""

    def pausing(data: bytes, end: bool) -> None:
        response.pause()

    async with serving(answers(OK, OK)) as provider:
        upstream = provider.upstream()
        response = await upstream.send(GET, b"")
        await relay(response, pausing)
        assert (await fetch(upstream))[1] == b"hello"
        assert provider.connections == 1
