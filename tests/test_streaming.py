"""Answers pass chunk by chunk, at the client's pace, and never look whole when they are not."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from tests.calls import (
    CHAT,
    COUNTED,
    DONE,
    HELLO,
    LAST_CHUNK,
    STREAM,
    STREAM_HEAD,
    Requests,
    at,
    chunk,
    read_request,
)
from tests.conftest import Wire
from tests.gateways import RunningGateway, running_gateway
from tests.raw_client import connected, post
from tests.raw_provider import Peer, RawProvider, Script, serving
from tests.recorded import next_generation, only_generation, read_json
from tests.waiting import until


@contextlib.asynccontextmanager
async def one_provider(
    folder: Path, wire: Wire, script: Script
) -> AsyncIterator[tuple[RunningGateway, RawProvider]]:
    """A gateway with one scripted provider, and that."""
    async with (
        serving(script) as provider,
        running_gateway(folder, [at(provider)], server={"wire": wire}) as gateway,
    ):
        yield gateway, provider


def streams(*pieces: bytes) -> Requests:
    """A provider whose answer is these pieces, a chunk each, and its proper end."""
    return Requests(STREAM_HEAD + b"".join(map(chunk, pieces)) + LAST_CHUNK)


async def test_each_chunk_passes_as_it_comes(tmp_path: Path, wire: Wire) -> None:
    """The client has a chunk before the provider sends the next one, and the head before any."""
    go_on = asyncio.Event()

    async def step_by_step(peer: Peer) -> None:
        await read_request(peer)
        peer.send(STREAM_HEAD)
        for _ in range(3):
            await go_on.wait()
            go_on.clear()
            peer.send(chunk(HELLO))
        peer.send(LAST_CHUNK)
        await peer.wait_closed()

    async with (
        one_provider(tmp_path, wire, step_by_step) as (gateway, _),
        connected(gateway.origin) as client,
    ):
        client.send(post(STREAM))
        status, headers = await client.head()
        assert status == 200
        pieces = client.pieces(headers)
        for _ in range(3):
            go_on.set()
            assert await anext(pieces) == HELLO
        assert await anext(pieces) == b""


async def test_usage_is_asked_for_and_hidden(tmp_path: Path, wire: Wire) -> None:
    """A stream that did not ask for usage is counted exactly, and looks as if nobody had asked."""
    provider = streams(HELLO, COUNTED, DONE)
    async with (
        one_provider(tmp_path, wire, provider) as (gateway, _),
        connected(gateway.origin) as client,
    ):
        client.send(post(STREAM))
        answer = await client.answer()
        assert (answer.body, answer.complete) == (HELLO + DONE, True)
        record = await only_generation(gateway)
    sent = msgspec.json.decode(provider.seen[0][1])
    assert sent.pop("stream_options") == {"include_usage": True}
    assert sent == msgspec.json.decode(STREAM)
    assert (record["tokens_prompt"], record["tokens_completion"]) == (7, 3)
    assert not record["hearth"]["usage_estimated"]


async def test_usage_that_was_asked_for_is_shown(tmp_path: Path, wire: Wire) -> None:
    """A client that asks for usage gets it; its body goes out byte for byte."""
    asking = STREAM[:-1] + b', "stream_options" : {"include_usage":true}}'
    provider = streams(HELLO, COUNTED, DONE)
    async with (
        one_provider(tmp_path, wire, provider) as (gateway, _),
        connected(gateway.origin) as client,
    ):
        client.send(post(asking))
        assert (await client.answer()).body == HELLO + COUNTED + DONE
    assert provider.seen[0][1] == asking


async def test_other_stream_options_survive(tmp_path: Path, wire: Wire) -> None:
    """Asking for usage adds to the client's options and replaces none."""
    body = STREAM[:-1] + b',"stream_options":{"include_obfuscation":false}}'
    provider = streams(HELLO, COUNTED, DONE)
    async with (
        one_provider(tmp_path, wire, provider) as (gateway, _),
        connected(gateway.origin) as client,
    ):
        client.send(post(body))
        assert (await client.answer()).body == HELLO + DONE
    options = msgspec.json.decode(provider.seen[0][1])["stream_options"]
    assert options == {"include_obfuscation": False, "include_usage": True}


async def test_settled_at_done(tmp_path: Path, wire: Wire) -> None:
    """The record is there as soon as the client reads [DONE], the connection still open."""

    async def stay(peer: Peer) -> None:
        await read_request(peer)
        peer.send(STREAM_HEAD + chunk(HELLO + COUNTED + DONE))
        await peer.wait_closed()

    async with (
        one_provider(tmp_path, wire, stay) as (gateway, _),
        connected(gateway.origin) as client,
    ):
        client.send(post(STREAM))
        _, headers = await client.head()
        assert DONE in await anext(client.pieces(headers))
        ours = dict(headers)[b"X-Generation-Id"].decode()
        for wanted in (ours, "chatcmpl-2"):
            found = (await read_json(f"{gateway.api}/generation?id={wanted}"))["data"]
            assert (found["id"], found["tokens_prompt"]) == (ours, 7)


@pytest.mark.parametrize(
    ("path", "event", "last_words"),
    [
        ("chat/completions", HELLO, b"data: {"),
        ("completions", b'data: {"id":"c","choices":[{"text":"a"}]}\n\n', b"data: {"),
        (
            "responses",
            b'event: response.created\ndata: {"type":"response.created","sequence_number":0}\n\n',
            b"event: error\ndata: {",
        ),
        (
            "messages",
            b'event: message_start\ndata: {"type":"message_start"}\n\n',
            b"event: error\ndata: {",
        ),
    ],
)
async def test_a_broken_stream_says_so(
    tmp_path: Path, wire: Wire, path: str, event: bytes, last_words: bytes
) -> None:
    """The last event is the called API's error, and then the connection is cut all the same."""

    async def die(peer: Peer) -> None:
        await read_request(peer)
        peer.send(STREAM_HEAD + chunk(event))

    async with (
        one_provider(tmp_path, wire, die) as (gateway, _),
        connected(gateway.origin) as client,
    ):
        client.send(post(STREAM, f"/v1/{path}"))
        answer = await client.answer()
        assert not answer.complete
        assert answer.body.startswith(event + last_words)
        assert b"broke off" in answer.body
        assert b"error" in answer.body
        assert await client.is_closed()
        record = await only_generation(gateway)
    assert (record["hearth"]["outcome"], record["hearth"]["status"]) == ("cut", 200)
    assert record["hearth"]["usage_estimated"]
    assert record["tokens_prompt"] > 0
    assert "broke off" in record["hearth"]["error"]


@pytest.mark.parametrize(
    "head",
    [b"Content-Length: 10", b"Transfer-Encoding: chunked"],
    ids=["length", "chunked"],
)
async def test_a_broken_body_is_cut(tmp_path: Path, wire: Wire, head: bytes) -> None:
    """JSON that broke off does not end as if it were whole; nothing is added to it."""

    async def die(peer: Peer) -> None:
        await read_request(peer)
        piece = b'{"a"' if b"Length" in head else chunk(b'{"a"')
        peer.send(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + head + b"\r\n\r\n" + piece
        )

    async with (
        one_provider(tmp_path, wire, die) as (gateway, _),
        connected(gateway.origin) as client,
    ):
        client.send(post(CHAT))
        _, headers = await client.head()
        rest = await client.rest()
        assert rest in (b'{"a"', chunk(b'{"a"'))
        assert {name.lower() for name, _ in headers} >= {head.split(b":")[0].lower()}
        record = await only_generation(gateway)
    assert (record["hearth"]["outcome"], record["hearth"]["usage_estimated"]) == ("cut", True)


async def test_a_slow_client_slows_the_provider(tmp_path: Path, wire: Wire) -> None:
    """What a client does not read is not read from the provider either, and none of it is lost."""
    size = 64 * 1024 * 1024
    stalled: list[bool] = []

    async def flood(peer: Peer) -> None:
        await read_request(peer)
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"a" * size)
        stalled.append(await peer.is_stalled(0.3))
        await peer.wait_closed()

    async with (
        one_provider(tmp_path, wire, flood) as (gateway, _),
        connected(gateway.origin) as client,
    ):
        client.send(post(CHAT, "/v1/files"))
        await until(lambda: bool(stalled))
        assert stalled == [True]
        answer = await client.answer()
        assert (len(answer.body), answer.complete) == (size, True)
        record = await next_generation(gateway)
    assert record["hearth"]["outcome"] == "ok"
