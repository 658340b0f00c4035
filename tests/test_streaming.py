"""Answers pass chunk by chunk, at the client's pace, and never look whole when they are not."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from tests.parts.calls import (
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
from tests.parts.gateways import Wire, running_gateway
from tests.parts.http_world import world
from tests.parts.raw_client import connected, post
from tests.parts.raw_provider import Peer, serving
from tests.parts.recorded import next_generation, only_generation, read_json
from tests.parts.waiting import until

NULLED = HELLO.replace(b"}\n\n", b',"usage":null}\n\n')


def streams(*pieces: bytes) -> bytes:
    """An answer of these pieces, a chunk each, and its proper end."""
    return STREAM_HEAD + b"".join(map(chunk, pieces)) + LAST_CHUNK


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

    async with world(tmp_path, wire, step_by_step) as here:
        here.client.send(post(STREAM))
        status, headers = await here.client.head()
        assert status == 200
        pieces = here.client.pieces(headers)
        for _ in range(3):
            go_on.set()
            assert await anext(pieces) == HELLO
        assert await anext(pieces) == b""


async def test_usage_is_asked_for_and_hidden(tmp_path: Path, wire: Wire) -> None:
    """A stream that did not ask for usage is counted exactly, and looks as if nobody had asked."""
    async with world(tmp_path, wire, answer=streams(HELLO, COUNTED, DONE)) as here:
        answer = await here.client.ask(post(STREAM))
        assert (answer.body, answer.complete) == (HELLO + DONE, True)
        record = await only_generation(here.gateway)
    sent = msgspec.json.decode(here.seen[0][1])
    assert sent.pop("stream_options") == {"include_usage": True}
    assert sent == msgspec.json.decode(STREAM)
    assert (record["tokens_prompt"], record["tokens_completion"]) == (7, 3)
    assert not record["hearth"]["usage_estimated"]


async def test_who_refuses_the_option_is_not_asked(tmp_path: Path, wire: Wire) -> None:
    """With `include_usage: false` the body is the bytes that came; what is told unasked counts."""
    requests = Requests(streams(HELLO, COUNTED, DONE))
    async with (
        serving(requests) as peer,
        running_gateway(
            tmp_path, [at(peer, include_usage=False)], server={"wire": wire}
        ) as gateway,
        connected(gateway.origin) as client,
    ):
        answer = await client.ask(post(STREAM))
        record = await only_generation(gateway)
    assert (requests.seen[0][1], answer.body) == (STREAM, HELLO + DONE)
    assert (record["tokens_prompt"], record["tokens_completion"]) == (7, 3)


async def test_usage_that_was_asked_for_is_shown(tmp_path: Path, wire: Wire) -> None:
    """A client that asks for usage gets it; its body goes out byte for byte."""
    asking = STREAM[:-1] + b', "stream_options" : {"include_usage":true}}'
    async with world(tmp_path, wire, answer=streams(HELLO, COUNTED, DONE)) as here:
        assert (await here.client.ask(post(asking))).body == HELLO + COUNTED + DONE
    assert here.seen[0][1] == asking


async def test_usage_is_shown_to_who_asks_as_openrouter_has_it(tmp_path: Path, wire: Wire) -> None:
    """A provider of any other kind is asked in its own way, and the client gets what comes."""
    asking = STREAM[:-1] + b',"usage":{"include":true}}'
    async with world(tmp_path, wire, answer=streams(HELLO, COUNTED, DONE)) as here:
        answer = await here.client.ask(post(asking, "/api/v1/chat/completions"))
    assert answer.body == HELLO + COUNTED + DONE
    sent = msgspec.json.decode(here.seen[0][1])
    assert sent.pop("stream_options") == {"include_usage": True}
    assert sent == msgspec.json.decode(STREAM)


@pytest.mark.parametrize(
    ("path", "shown"), [("/v1/chat/completions", NULLED), ("/api/v1/chat/completions", HELLO)]
)
async def test_openrouters_chunks_have_no_null_usage(
    tmp_path: Path, wire: Wire, path: str, shown: bytes
) -> None:
    """OpenAI's have, where usage is asked for; each API's clients get what they know."""
    asking = STREAM[:-1] + b',"stream_options":{"include_usage":true}}'
    async with world(tmp_path, wire, answer=streams(NULLED, COUNTED, DONE)) as here:
        answer = await here.client.ask(post(asking, path))
    assert answer.body == shown + COUNTED + DONE


async def test_other_stream_options_survive(tmp_path: Path, wire: Wire) -> None:
    """Asking for usage adds to the client's options and replaces none."""
    body = STREAM[:-1] + b',"stream_options":{"include_obfuscation":false}}'
    async with world(tmp_path, wire, answer=streams(HELLO, COUNTED, DONE)) as here:
        assert (await here.client.ask(post(body))).body == HELLO + DONE
    options = msgspec.json.decode(here.seen[0][1])["stream_options"]
    assert options == {"include_obfuscation": False, "include_usage": True}


async def test_settled_at_done(tmp_path: Path, wire: Wire) -> None:
    """The record is there as soon as the client reads [DONE], the connection still open."""

    async def stay(peer: Peer) -> None:
        await read_request(peer)
        peer.send(STREAM_HEAD + chunk(HELLO + COUNTED + DONE))
        await peer.wait_closed()

    async with world(tmp_path, wire, stay) as here:
        here.client.send(post(STREAM))
        _, headers = await here.client.head()
        assert DONE in await anext(here.client.pieces(headers))
        ours = dict(headers)[b"X-Generation-Id"].decode()
        for wanted in (ours, "chatcmpl-2"):
            found = (await read_json(f"{here.gateway.api}/generation?id={wanted}"))["data"]
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

    async with world(tmp_path, wire, die) as here:
        answer = await here.client.ask(post(STREAM, f"/v1/{path}"))
        assert not answer.complete
        assert answer.body.startswith(event + last_words)
        assert b"broke off" in answer.body
        assert b"error" in answer.body
        assert await here.client.is_closed()
        record = await only_generation(here.gateway)
    assert (record["hearth"]["outcome"], record["hearth"]["status"]) == ("cut", 200)
    assert record["hearth"]["usage_estimated"]
    assert record["tokens_prompt"] > 0
    assert "broke off" in record["hearth"]["error"]


async def test_a_broken_stream_of_known_length(tmp_path: Path, wire: Wire) -> None:
    """Nothing takes the place of what is missing, or the client would think it has all."""

    async def die(peer: Peer) -> None:
        await read_request(peer)
        events = b"Content-Type: text/event-stream\r\nContent-Length: %d" % (len(HELLO) + 50)
        peer.send(b"HTTP/1.1 200 OK\r\n" + events + b"\r\n\r\n" + HELLO)

    async with world(tmp_path, wire, die) as here:
        here.client.send(post(CHAT))
        await here.client.head()
        assert await here.client.rest() == HELLO


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

    async with world(tmp_path, wire, die) as here:
        here.client.send(post(CHAT))
        _, headers = await here.client.head()
        rest = await here.client.rest()
        assert rest in (b'{"a"', chunk(b'{"a"'))
        assert {name.lower() for name, _ in headers} >= {head.split(b":")[0].lower()}
        record = await only_generation(here.gateway)
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

    async with world(tmp_path, wire, flood) as here:
        here.client.send(post(CHAT, "/v1/files"))
        await until(lambda: bool(stalled))
        assert stalled == [True]
        answer = await here.client.answer()
        assert (len(answer.body), answer.complete) == (size, True)
        record = await next_generation(here.gateway)
    assert record["hearth"]["outcome"] == "ok"
