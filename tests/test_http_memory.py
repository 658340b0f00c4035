"""Memory stays within what the limits allow, however slow or deaf the other side is."""

import asyncio
import gc
import os
from pathlib import Path

from tests.parts.calls import COMPLETION, read_request, whole
from tests.parts.gateways import Wire
from tests.parts.http_world import world
from tests.parts.raw_client import post
from tests.parts.raw_provider import Peer
from tests.parts.waiting import PATIENCE

MIB = 1024 * 1024


def resident() -> int:
    """Bytes of this process in memory: gateway, provider and client together."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def test_a_client_that_reads_nothing_of_much(tmp_path: Path, wire: Wire) -> None:
    """Of 200 MiB for a deaf client little is taken from the provider, and less is held."""
    stalled = asyncio.Event()
    sent = 0

    async def flood(peer: Peer) -> None:
        nonlocal sent
        await read_request(peer)
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (200 * MIB))
        piece = b"a" * (256 * 1024)
        while sent < 200 * MIB and not await peer.is_stalled(0.2):
            peer.send(piece)
            sent += len(piece)
        stalled.set()
        await peer.wait_closed()

    async with world(tmp_path, wire, flood) as here:
        here.client.send(post(b"{}", "/v1/files"))
        await here.client.head()
        before = resident()
        await asyncio.wait_for(stalled.wait(), PATIENCE)
        grown = resident() - before
        here.client.reset()
    assert sent < 100 * MIB
    assert grown < 16 * MIB, f"{grown / MIB:.1f} MiB"


async def test_a_large_body_for_a_slow_provider(tmp_path: Path, wire: Wire) -> None:
    """A body of 30 MiB is held once or twice while its provider does not read it."""
    body = b'{"x":"%b"}' % (b"a" * 30 * MIB)
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def dawdle(peer: Peer) -> None:
        await peer.head()
        asked.set()
        await go_on.wait()
        assert await peer.read(len(body)) == body
        peer.send(whole(COMPLETION))
        await peer.wait_closed()

    request = post(body, "/v1/files")
    async with world(tmp_path, wire, dawdle) as here:
        before = resident()
        here.client.send(request)
        await asyncio.wait_for(asked.wait(), PATIENCE)
        grown = resident() - before
        go_on.set()
        assert (await here.client.answer()).status == 200
    assert grown < 3 * len(body), f"{grown / MIB:.1f} MiB"
