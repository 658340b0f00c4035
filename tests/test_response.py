"""A response passes its body on once, and has no hold on its connection afterwards."""

import asyncio

import pytest

from gateway.wire.response import Response, Sink
from tests.parts.exchanges import relay


class Recorder:
    """A source that notes what it is asked for; `rest` is what relaying waits for."""

    def __init__(self, rest: asyncio.Future[None] | None = None) -> None:
        self.asked: list[str] = []
        self._rest = rest

    def relay(self, sink: Sink) -> asyncio.Future[None] | None:
        self.asked.append("relay")
        return self._rest

    def pause(self) -> None:
        self.asked.append("pause")

    def resume(self) -> None:
        self.asked.append("resume")

    def leave(self) -> None:
        self.asked.append("leave")


def ignore(data: bytes, end: bool) -> None:
    """A sink for tests in which nothing comes."""


async def test_passes_on_to_its_source() -> None:
    """As long as the source is there, it is the one that acts."""
    source = Recorder()
    response = Response(source, 200, [], None)
    response.pause()
    response.resume()
    await relay(response, ignore)
    response.close()
    assert source.asked == ["pause", "resume", "relay", "leave"]


async def test_detached_it_touches_nothing() -> None:
    """The source may serve another response by now: a late pause or close must not reach it."""
    source = Recorder()
    response = Response(source, 200, [], None)
    response.detach()
    response.pause()
    response.resume()
    response.close()
    assert source.asked == []
    with pytest.raises(RuntimeError, match="relayed or closed before"):
        await relay(response, ignore)


async def test_cancelled_it_leaves() -> None:
    """Nobody wants the rest of a body whose relay was cancelled."""
    source = Recorder(asyncio.get_running_loop().create_future())
    relaying = asyncio.create_task(relay(Response(source, 200, [], None), ignore))
    await asyncio.sleep(0)
    relaying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await relaying
    assert source.asked == ["relay", "leave"]


def test_repr_has_the_status() -> None:
    """What a log shows of it."""
    assert repr(Response(Recorder(), 418, [], None)) == "<Response 418>"
