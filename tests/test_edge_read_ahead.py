"""What a client sends before the fast edge turns to it: some is read ahead, the rest waits."""

import asyncio

import pytest

from gateway.calls.endpoint import Target
from gateway.calls.request import Request
from gateway.wire.downstream import Downstream
from gateway.wire.limits import Limits
from tests.parts.listeners import Echo, Handle, lone_edge
from tests.parts.raw_client import connected, connected_saying, post
from tests.parts.waiting import PATIENCE, until

SMALL = b'{"model":"gpt-4o-mini"}'
OTHER = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
MEBIBYTE = 1 << 20


async def answer_at_once(request: Request, target: Target, client: Downstream) -> None:
    client.start(200, [], 0)
    client.finish()


async def answer_later(request: Request, target: Target, client: Downstream) -> None:
    await asyncio.create_task(asyncio.sleep(0))
    await answer_at_once(request, target, client)


@pytest.mark.parametrize("answer", [answer_at_once, answer_later])
async def test_answers_let_no_more_in_than_they_end(answer: Handle) -> None:
    """However many requests a client pipelines, and takes answers of, they wait with it."""
    size = 32 * MEBIBYTE
    request = post(SMALL)
    async with lone_edge(answer) as lone, connected(lone.origin) as client:
        client.send(request * (size // len(request)))
        for _ in range(200):
            assert (await client.answer()).status == 200
        assert client.unsent > size // 2


async def test_what_is_answered_at_once_takes_turns() -> None:
    """However much of it comes, a turn of the loop answers no more than a request or two of one
    connection, so that the others get on."""
    count, answered, most = 10_000, 0, 0

    async def answer(request: Request, target: Target, client: Downstream) -> None:
        nonlocal answered
        answered += 1
        await answer_at_once(request, target, client)

    async with lone_edge(answer) as lone, connected(lone.origin) as client:
        reading = asyncio.ensure_future(client.rest())
        client.send(post(SMALL) * count)
        while answered < count:
            before = answered
            await asyncio.sleep(0)
            most = max(most, answered - before)
        reading.cancel()
    assert most <= 2


async def test_what_was_not_read_ahead_is_the_next_protocols() -> None:
    """A connection that is handed over is read on, from where the fast edge left it."""
    may_end = asyncio.Event()

    async def answer(request: Request, target: Target, client: Downstream) -> None:
        await asyncio.create_task(may_end.wait())
        await answer_at_once(request, target, client)

    behind = OTHER + bytes(16 * MEBIBYTE)
    async with lone_edge(answer) as lone, connected(lone.origin) as client:
        lone.listener.fallback = Echo
        await client.send_slowly(post(SMALL), behind, b"")
        may_end.set()
        assert (await client.answer()).status == 200
        echoed = bytearray()
        while len(echoed) < len(behind):
            echoed += await client.some()
        assert echoed == behind


async def test_who_takes_over_may_stop_reading() -> None:
    """The fast edge reads on before: aiohttp takes no more than it can queue."""
    may_end, takers = asyncio.Event(), list[asyncio.Transport]()

    class Full(Echo):
        def data_received(self, data: bytes) -> None:
            self._transport.pause_reading()
            takers.append(self._transport)

    async def answer(request: Request, target: Target, client: Downstream) -> None:
        await asyncio.create_task(may_end.wait())
        await answer_at_once(request, target, client)

    async with lone_edge(answer) as lone, connected(lone.origin) as client:
        lone.listener.fallback = Full
        await client.send_slowly(post(SMALL), OTHER + bytes(16 * MEBIBYTE), b"")
        may_end.set()
        await until(lambda: bool(takers))
        await asyncio.sleep(0.1)  # nothing shows that no more comes
        assert len(takers) == 1
        takers[0].abort()


async def test_what_follows_the_last_request_is_read() -> None:
    """A client that sends on behind it gets that out, however much of it comes in one read."""
    limits = Limits(linger=60)
    async with lone_edge(answer_at_once, limits) as lone, connected(lone.origin) as other:
        assert (await other.ask(post(SMALL))).values(b"connection") == []
        draining = asyncio.create_task(lone.listener.drain(60, grace=60))
        await asyncio.sleep(0)
        behind = bytes(MEBIBYTE // 2)
        async with connected_saying(lone.origin, post(SMALL) + behind) as client:
            client.send(bytes(16 * MEBIBYTE))
            assert (await client.answer()).values(b"connection") == [b"close"]
            await until(lambda: client.unsent == 0)
        other.close()
        await asyncio.wait_for(draining, PATIENCE)
