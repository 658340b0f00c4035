"""How a call on the fast edge ends, and its connection, when something goes wrong or is over."""

import asyncio
import contextlib
from collections.abc import Callable

import pytest

from gateway.calls.endpoint import Target
from gateway.calls.request import Request
from gateway.wire.downstream import Downstream
from gateway.wire.limits import Limits
from tests.parts.listeners import lone_edge
from tests.parts.raw_client import RawClient, connected, post
from tests.parts.waiting import PATIENCE

SMALL = b'{"model":"gpt-4o-mini"}'
MEBIBYTE = 1 << 20


class Lasting:
    """Work that goes on until it is cancelled, and then until its cleanup may end."""

    def __init__(self) -> None:
        self.begun, self.is_left, self.may_end = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work(self) -> None:
        try:
            self.begun.set()
            await asyncio.Event().wait()
        finally:
            self.is_left.set()
            await self.may_end.wait()


async def begin(client: Downstream) -> None:
    """The head of an answer, and a part of its body."""
    client.start(200, [], None)
    client.write(b"part")
    await asyncio.sleep(0)


@pytest.mark.parametrize("waits", [False, True], ids=["at once", "later"])
async def test_an_error_that_nobody_expected(caplog: pytest.LogCaptureFixture, waits: bool) -> None:
    """It is logged, what was said goes out, and the connection is cut."""

    async def fail(request: Request, target: Target, client: Downstream) -> None:
        if waits:
            await asyncio.create_task(begin(client))
        raise LookupError("lost")

    async with lone_edge(fail) as edge, connected(edge.origin) as client:
        client.send(post(SMALL) * 2)
        if waits:
            assert (await client.answer()).complete is False
        assert await client.is_closed()
    [record] = caplog.records
    assert "lost" in record.message
    assert record.exc_info is not None
    assert record.exc_info[0] is LookupError


async def test_a_call_that_is_cancelled_from_within() -> None:
    """There is no answer to tell of it: the connection ends."""

    async def give_up(request: Request, target: Target, client: Downstream) -> None:
        await asyncio.create_task(begin(client))
        raise asyncio.CancelledError

    async with lone_edge(give_up) as edge, connected(edge.origin) as client:
        client.send(post(SMALL))
        with contextlib.suppress(ConnectionError):
            assert not (await client.rest()).endswith(b"0\r\n\r\n")


async def test_a_connection_is_left_when_its_call_has_ended() -> None:
    """Whoever drains waits for the cleanup of a call whose client is gone."""
    lasting = Lasting()
    tasks: list[asyncio.Task[None]] = []

    async def work(request: Request, target: Target, client: Downstream) -> None:
        tasks.append(asyncio.create_task(lasting.work()))
        await tasks[0]

    async with lone_edge(work) as edge:
        async with connected(edge.origin) as client:
            client.send(post(SMALL))
            await lasting.begun.wait()
        draining = asyncio.create_task(edge.listener.drain(60))
        await lasting.is_left.wait()
        assert not draining.done()
        lasting.may_end.set()
        await draining
        assert [task.done() for task in tasks] == [True]


async def test_who_still_sends_can_read_the_last_answer() -> None:
    """A client whose connection is to go may have more requests on their way: they do not destroy
    the answer that tells it to repeat them elsewhere (RFC 9112 section 9.6)."""

    async def answer(request: Request, target: Target, client: Downstream) -> None:
        client.start(200, [], 2)
        client.write(b"ok")
        client.finish()

    limits = Limits(linger=60)
    async with lone_edge(answer, limits) as edge, connected(edge.origin) as client:
        assert (await client.ask(post(SMALL))).values(b"connection") == []
        draining = asyncio.create_task(edge.listener.drain(60, grace=60))
        await asyncio.sleep(0)
        for _ in range(20):
            await client.send_slowly(post(SMALL))
        last = await client.answer()
        assert (last.body, last.values(b"connection")) == (b"ok", [b"close"])
        assert await client.rest() == b""
        client.close()
        await draining


@pytest.mark.parametrize("leave", [RawClient.close, RawClient.reset])
async def test_a_client_that_leaves_before_its_last_answer(
    caplog: pytest.LogCaptureFixture, leave: Callable[[RawClient], None]
) -> None:
    """There is nobody to linger for, and nothing to say of it in the log."""
    lasting = Lasting()

    async def answer_late(client: Downstream) -> None:
        client.start(200, [], None)
        try:
            await lasting.work()
        finally:
            client.cut()

    async def work(request: Request, target: Target, client: Downstream) -> None:
        await asyncio.create_task(answer_late(client))

    async with lone_edge(work) as edge, connected(edge.origin) as client:
        await client.send_slowly(post(SMALL)[:-1])
        draining = asyncio.create_task(edge.listener.drain(60, grace=60))
        await asyncio.sleep(0)
        await client.send_slowly(post(SMALL)[-1:])
        await lasting.begun.wait()
        leave(client)
        await lasting.is_left.wait()
        await asyncio.sleep(0)  # by then the transport is no more
        lasting.may_end.set()
        await draining
    assert caplog.messages == []


async def test_who_is_late_is_part_of_the_end() -> None:
    """A connection whose TLS handshake ends when others are told to go is told so as well."""
    lasting = Lasting()
    lasting.may_end.set()

    async def work(request: Request, target: Target, client: Downstream) -> None:
        if request.body != SMALL:
            await asyncio.create_task(lasting.work())
        client.start(200, [], 0)
        client.finish()

    async with lone_edge(work) as edge, connected(edge.origin) as first:
        first.send(post(b"{}"))
        await lasting.begun.wait()
        draining = asyncio.create_task(edge.listener.drain(60, grace=1))
        await asyncio.sleep(0)
        async with connected(edge.origin) as second, connected(edge.origin) as waiting:
            assert (await second.ask(post(SMALL))).values(b"connection") == [b"close"]
            assert await waiting.is_closed()  # the grace is over
        async with connected(edge.origin) as third:
            assert await third.is_closed()
        first.close()
        await draining


async def test_who_was_slow_to_take_the_last_answer_lingers_no_longer_than_others() -> None:
    """Once all of it is taken, the client has the same short time to end the connection."""

    async def answer(request: Request, target: Target, client: Downstream) -> None:
        client.start(200, [], 16 * MEBIBYTE)
        client.write(bytes(16 * MEBIBYTE))
        client.finish()

    limits = Limits(linger=0.1)
    async with lone_edge(answer, limits) as edge, connected(edge.origin) as client:
        await client.send_slowly(post(SMALL)[:-1])
        draining = asyncio.create_task(edge.listener.drain(60, grace=60))
        await asyncio.sleep(0)
        client.send(post(SMALL)[-1:])
        assert len((await client.answer()).body) == 16 * MEBIBYTE
        await asyncio.wait_for(draining, PATIENCE)


async def test_what_was_not_read_ahead_is_read_at_the_end() -> None:
    """A client that still sends more than is read ahead gets it out, and can end in order."""
    may_end = asyncio.Event()

    async def answer(request: Request, target: Target, client: Downstream) -> None:
        await asyncio.create_task(may_end.wait())
        client.start(200, [], 2)
        client.write(b"ok")
        client.finish()

    limits = Limits(linger=60)
    async with lone_edge(answer, limits) as edge, connected(edge.origin) as client:
        await client.send_slowly(post(SMALL)[:-1])
        draining = asyncio.create_task(edge.listener.drain(60, grace=60))
        await asyncio.sleep(0)
        await client.send_slowly(post(SMALL)[-1:], bytes(16 * MEBIBYTE), b"")
        may_end.set()
        assert (await client.answer()).body == b"ok"
        client.close()
        await asyncio.wait_for(draining, PATIENCE)
