"""A gateway knows its own name in `Via`, and no other's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from gateway.calls.request import Request
from gateway.errors import LoopDetected
from gateway.wire.via import Via
from tests.parts.calls import CHAT, COMPLETION, Requests, at, whole
from tests.parts.gateways import RunningGateway, Wire, running_gateway
from tests.parts.http_world import fields_of
from tests.parts.raw_client import connected, post
from tests.parts.raw_provider import Peer, serving
from tests.parts.requests import request


def came_by(*via: bytes) -> Request:
    return request(*((b"via", value) for value in via))


def own(folder: str) -> bytes:
    """What a gateway with its journal in `folder` writes."""
    return Via(folder).line("1.1").removeprefix(b"Via: ").strip()


def test_the_name_is_stable_and_its_own() -> None:
    """The same in every process over one journal, another one over another."""
    assert own("a/journal") == own("a/journal")
    assert own("a/journal") != own("b/journal")


@pytest.mark.parametrize("place", ["alone", "in a list", "in a later line", "with a comment"])
def test_a_loop_is_seen(place: str) -> None:
    """Wherever in `Via` the name stands, the request has been here."""
    name = own("a")
    lines = {
        "alone": (name,),
        "in a list": (b"1.1 x,\t" + name + b", 1.1 y",),
        "in a later line": (b"1.1 x", name),
        "with a comment": (name + b" (Hearth)",),
    }
    with pytest.raises(LoopDetected):
        Via("a").refuse_loop(came_by(*lines[place]))


@pytest.mark.parametrize("via", [(), (b"",), (b"1.1",), (own("b"),), (b"1.1 x-" + own("a"),)])
def test_others_are_no_loop(via: tuple[bytes, ...]) -> None:
    """Another gateway's name, no name and a name that merely contains this one are fine."""
    seen = came_by(*via)
    Via("a").refuse_loop(seen)
    assert [value for _, value in seen.head.headers] == list(via)


@asynccontextmanager
async def chain(folder: Path, wire: Wire) -> AsyncIterator[tuple[RunningGateway, Requests]]:
    """A gateway before a gateway before a provider."""
    requests = Requests(whole(COMPLETION))
    (folder / "near").mkdir()
    (folder / "far").mkdir()
    async with (
        serving(requests) as provider,
        running_gateway(folder / "far", [at(provider)], server={"wire": wire}) as far,
        running_gateway(
            folder / "near", [{"name": "far", "base_url": far.url}], server={"wire": wire}
        ) as near,
    ):
        yield near, requests


async def test_22_two_gateways_in_a_chain(tmp_path: Path, wire: Wire) -> None:
    """Each adds itself, and neither takes the other for itself."""
    async with chain(tmp_path, wire) as (near, requests), connected(near.origin) as client:
        assert (await client.ask(post(CHAT))).body == COMPLETION
    names = [value for name, value in fields_of(requests.seen[0][0]) if name == b"via"]
    assert len(set(names)) == 2


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/api/v1/completions"])
async def test_22_a_gateway_that_is_its_own_provider(tmp_path: Path, wire: Wire, path: str) -> None:
    """A request that comes back is 508 in the words of the API, after one turn."""
    back: list[bytes] = []

    async def mirror(peer: Peer) -> None:
        """Send every request back to where it came from."""
        head = await peer.head()
        size = int(dict(fields_of(head))[b"content-length"])
        async with connected(back[0].decode()) as again:
            answer = await again.ask(head + await peer.read(size))
        peer.send(whole(answer.body, b"%d Loop" % answer.status))

    async with (
        serving(mirror) as provider,
        running_gateway(tmp_path, [at(provider)], server={"wire": wire}) as gateway,
        connected(gateway.origin) as client,
    ):
        back.append(gateway.origin.encode())
        answer = await client.ask(post(CHAT, path))
        assert answer.status == 508
        assert b"came back" in answer.body
        assert msgspec.json.decode(answer.body)["error"]
        assert provider.requests == 1
