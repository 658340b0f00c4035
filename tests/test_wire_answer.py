"""One answer of the fast edge, and its client that reads slower than its provider writes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.calls.endpoint import Target
from gateway.calls.request import Request
from gateway.wire.downstream import Downstream
from gateway.wire.edge import Edge
from gateway.wire.limits import LIMITS, Limits
from tests.parts.listeners import lone_edge
from tests.parts.raw_client import RawClient, connected, post
from tests.parts.waiting import PATIENCE, until

REQUEST = post(b'{"model":"gpt-4o-mini"}')
LARGE = bytes(16 << 20)


class Provided:
    """A source of bytes, and what it was asked to do."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def pause(self) -> None:
        self.asked.append("pause")

    def resume(self) -> None:
        self.asked.append("resume")


class Answers:
    """A large answer to the first call, in whose turn `next_request` comes as well; the second call
    begins before the first answer goes out, and its provider answers when `is_here` is set."""

    def __init__(self, next_request: bytes) -> None:
        self.edges: list[Edge] = []
        self.provided = Provided()
        self._next_request = next_request
        self._count = 0
        self.is_here = asyncio.Event()
        self.is_left = asyncio.Event()

    async def handle(self, request: Request, target: Target, client: Downstream) -> None:
        self._count += 1
        if self._count == 1:
            asyncio.get_running_loop().call_soon(self.edges[0].data_received, self._next_request)
            client.start(200, [], len(LARGE))
            client.write(LARGE)
        else:
            await asyncio.create_task(asyncio.sleep(0.01))
            client.connect_flow(self.provided)
            await self._wait()
            client.connect_flow(None)
            client.start(200, [], 2)
            client.write(b"ok")
        client.finish()

    async def _wait(self) -> None:
        try:
            await asyncio.create_task(self.is_here.wait())
        finally:
            self.is_left.set()


@asynccontextmanager
async def edge_before(answers: Answers, limits: Limits = LIMITS) -> AsyncIterator[RawClient]:
    """A client's connection to a fast edge by itself, whose calls `answers` handles."""
    async with lone_edge(answers.handle, limits) as edge, connected(edge.origin) as client:
        answers.edges = edge.edges
        yield client


@pytest.mark.parametrize("cut", [0, 1], ids=["whole", "all but a byte"])
async def test_an_answer_waits_for_the_one_before_it(cut: int) -> None:
    """A provider whose answer begins while the client has yet to take the last one is paused, and
    goes on when it is taken: answers do not pile up."""
    answers = Answers(REQUEST[: len(REQUEST) - cut])
    async with edge_before(answers) as client:
        client.send(REQUEST)
        _, headers = await client.head()
        client.send(REQUEST[len(REQUEST) - cut :])
        await until(lambda: answers.provided.asked == ["pause"])
        assert sum([len(piece) async for piece in client.pieces(headers)]) == len(LARGE)
        await until(lambda: answers.provided.asked == ["pause", "resume"])
        answers.is_here.set()
        assert (await client.answer()).body == b"ok"


@pytest.mark.parametrize("cut", [0, 1], ids=["whole", "all but a byte"])
async def test_a_client_that_takes_nothing_is_given_up(cut: int) -> None:
    """Its next request may have come by then: the call ends, and lets the provider go."""
    answers = Answers(REQUEST[: len(REQUEST) - cut])
    async with edge_before(answers, Limits(answer=0.1)) as client:
        client.send(REQUEST)
        await client.head()
        client.send(REQUEST[len(REQUEST) - cut :])
        await asyncio.wait_for(answers.is_left.wait(), PATIENCE)
