"""RFC 9110 and 9112 on the provider's side: its answers, whole, broken and early."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from tests.parts.calls import COMPLETION, LAST_CHUNK, chunk, read_request, whole
from tests.parts.gateways import Wire
from tests.parts.http_world import BODY, CHAT_LINE, HOST, LENGTH, fields_of, world
from tests.parts.raw_client import post
from tests.parts.raw_provider import Peer
from tests.parts.recorded import only_generation

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
NO_ANSWER = {
    "garbage": b"\x16\x03\x01 garbage\r\n\r\n",
    "HTTP/2": b"HTTP/2 200 OK\r\n\r\n",
    "no status": b"HTTP/1.1 OK\r\n\r\n",
    "lengths that differ": OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a list of lengths": OK + b"Content-Length: 2, 2\r\n\r\nab",
    "a length that is none": OK + b"Content-Length: +2\r\n\r\nab",
    "a length and chunks": OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an unknown coding": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "a folded field": OK + b"X: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "a blank before a colon": OK + b"X : a\r\nContent-Length: 0\r\n\r\n",
    "a bare CR": OK + b"X: a\rb\r\nContent-Length: 0\r\n\r\n",
    "a bare LF": OK + b"X: a\nContent-Length: 0\r\n\r\n",
    "a NUL": OK + b"X: \x00\r\nContent-Length: 0\r\n\r\n",
    "a head too large": OK + b"X: " + b"a" * 100_000 + b"\r\n\r\n",
    "a head without end": OK + b"X: y\r\n" * 20_000,
    "a switch of protocols": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    "a proxy's question": b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n",
    "half a head": OK + b"X: y\r\n",
    "nothing": b"",
}
CUT_SHORT = {
    "a short body": (OK + b"Content-Length: 10\r\n\r\nabc", b""),
    "a short chunk": (CHUNKED + b"a\r\nabc", b""),
    "no last chunk": (CHUNKED + chunk(b"abc"), b""),
    "half a last chunk": (CHUNKED + chunk(b"abc"), b"0\r\n"),
    "a bad chunk size": (CHUNKED + chunk(b"abc"), b"x\r\nabc\r\n" + LAST_CHUNK),
    "a chunk size too large": (CHUNKED + chunk(b"abc"), b"fffffffffffffffff\r\n"),
    "a chunk longer than it says": (CHUNKED + chunk(b"abc"), b"1\r\nab\r\n" + LAST_CHUNK),
    "chunks with bare LF": (CHUNKED + chunk(b"abc"), b"1\na\n0\n\n"),
    "an endless chunk extension": (CHUNKED + chunk(b"abc"), b"1;" + b"a" * 200_000),
    "trailers without end": (CHUNKED + chunk(b"abc"), b"0\r\n" + b"X: y\r\n" * 30_000),
}


class Once:
    """A provider that gives one broken answer to each connection, and then waits or leaves."""

    def __init__(self, answer: bytes, *, leaves: bool) -> None:
        self._answer = answer
        self._leaves = leaves

    async def __call__(self, peer: Peer) -> None:
        await read_request(peer)
        peer.send(self._answer)
        if not self._leaves:
            await peer.wait_closed()


@pytest.mark.parametrize("answer", NO_ANSWER.values(), ids=NO_ANSWER)
async def test_5_10_answers_that_are_none(tmp_path: Path, wire: Wire, answer: bytes) -> None:
    """What cannot be an answer is 502 to the client, on record, and costs its connection."""
    leaves = answer in (NO_ANSWER["half a head"], NO_ANSWER["nothing"])
    async with world(tmp_path, wire, Once(answer, leaves=leaves)) as here:
        got = await here.client.ask(post(BODY))
        assert (got.status, got.complete) == (502, True)
        assert msgspec.json.decode(got.body)["error"]["code"] == "provider_unavailable"
        await here.provider.wait_closed()
        assert here.provider.requests == 1
        record = await only_generation(here.gateway)
    assert record["hearth"]["status"] == 502


@pytest.mark.parametrize(("begin", "rest"), CUT_SHORT.values(), ids=CUT_SHORT)
async def test_21_answers_that_break_off(
    tmp_path: Path, wire: Wire, begin: bytes, rest: bytes
) -> None:
    """A body that goes wrong reaches the client as far as it came, and without a clean end."""
    go_on = asyncio.Event()

    async def break_off(peer: Peer) -> None:
        await read_request(peer)
        peer.send(begin)
        await go_on.wait()
        peer.send(rest)
        if len(rest) > 4:  # else only the connection's end shows that it is broken
            await peer.wait_closed()

    async with world(tmp_path, wire, break_off) as here:
        here.client.send(post(BODY, "/v1/files"))
        status, headers = await here.client.head()
        pieces = here.client.pieces(headers)
        if b"Transfer-Encoding" in dict(headers):
            assert await anext(pieces) == b"abc"
        go_on.set()
        assert (status, b"" in [piece async for piece in pieces]) == (200, False)
        assert await here.client.is_closed()
        await here.provider.wait_closed()
        record = await only_generation(here.gateway)
    assert record["hearth"]["outcome"] == "cut"


async def test_24_surplus_after_an_answer(tmp_path: Path, wire: Wire) -> None:
    """Bytes after an answer's end are nobody's: never the next answer, and the connection goes."""
    evil = whole(b'{"evil":1}')
    async with world(tmp_path, wire, Once(whole(COMPLETION) + evil, leaves=False)) as here:
        for _ in range(3):
            got = await here.client.ask(post(BODY))
            assert (got.body, got.complete) == (COMPLETION, True)
        assert (here.provider.connections, here.provider.requests) == (3, 3)


@pytest.mark.parametrize("status", [b"100 Continue", b"102 Processing", b"103 Early Hints"])
@pytest.mark.parametrize("times", [1, 5])
async def test_14_interim_answers(tmp_path: Path, wire: Wire, status: bytes, times: int) -> None:
    """What comes before the answer ends here, its fields with it, and the connection is kept."""
    interim = b"HTTP/1.1 " + status + b"\r\nLink: </x>\r\nX-Early: 1\r\n\r\n"
    async with world(tmp_path, wire, answer=interim * times + whole(COMPLETION)) as here:
        for _ in range(2):
            got = await here.client.ask(post(BODY))
            assert (got.status, got.body) == (200, COMPLETION)
            assert not got.values(b"x-early")
        assert here.provider.connections == 1


@pytest.mark.parametrize(
    ("status", "fields"),
    [
        *((204, b""), (204, b"Content-Length: 5\r\n"), (304, b"")),
        *((304, b"Content-Length: 5\r\n"), (304, b"Transfer-Encoding: chunked\r\n")),
    ],
)
async def test_20_answers_without_a_body(
    tmp_path: Path, wire: Wire, status: int, fields: bytes
) -> None:
    """204 and 304 end with their head, whatever it says, and the next answer is in step."""
    async with world(tmp_path, wire, answer=b"HTTP/1.1 %d X\r\n%b\r\n" % (status, fields)) as here:
        for _ in range(2):
            here.client.send(post(BODY))
            code, headers = await here.client.head()
            assert code == status
            assert b"transfer-encoding" not in {name.lower() for name, _ in headers}


async def test_20_head(tmp_path: Path, wire: Wire) -> None:
    """An answer to HEAD keeps its length and has no body; the connection stays in step."""
    head = OK + b"Content-Length: 5\r\n\r\n"
    async with world(tmp_path, wire, Once(head, leaves=False)) as here:
        for _ in range(2):
            here.client.send(b"HEAD /v1/files/1 HTTP/1.1\r\n" + HOST + b"\r\n")
            status, headers = await here.client.head()
            assert (status, dict(headers)[b"Content-Length"]) == (200, b"5")


async def test_12_trailers_of_an_answer(tmp_path: Path, wire: Wire) -> None:
    """Fields after a provider's body are dropped: no field, no chunk and no surplus of them."""
    body = chunk(COMPLETION) + b"0\r\nX-Late: 1\r\nSet-Cookie: evil=1\r\n\r\n"
    async with world(tmp_path, wire, answer=CHUNKED + body) as here:
        for _ in range(2):
            got = await here.client.ask(post(BODY))
            assert (got.body, got.complete) == (COMPLETION, True)
            assert not got.values(b"x-late") + got.values(b"set-cookie")
        assert here.provider.connections == 1


async def test_1_fields_of_an_answer_that_end_here(tmp_path: Path, wire: Wire) -> None:
    """What the provider's `Connection` names is between it and Hearth."""
    fields = (b"Connection: x-foo", b"X-Foo: 1", b"Keep-Alive: timeout=5", b"X-Bar: 2")
    async with world(tmp_path, wire, answer=whole(COMPLETION, b"200 OK", *fields)) as here:
        got = await here.client.ask(post(BODY))
    assert (got.values(b"x-foo"), got.values(b"keep-alive"), got.values(b"x-bar")) == (
        [],
        [],
        [b"2"],
    )


async def test_16_order_of_an_answers_fields(tmp_path: Path, wire: Wire) -> None:
    """Fields of one name stay apart and in order; the provider's own Via is one of them."""
    fields = (b"Set-Cookie: a=1", b"Via: 1.1 cdn", b"Set-Cookie: b=2")
    async with world(tmp_path, wire, answer=whole(COMPLETION, b"200 OK", *fields)) as here:
        got = await here.client.ask(post(BODY))
    assert (got.values(b"set-cookie"), got.values(b"via")) == ([b"a=1", b"b=2"], [b"1.1 cdn"])


async def test_2_http_1_0_on_both_sides(tmp_path: Path, wire: Wire) -> None:
    """Each side is spoken to in its own version; 1.0 knows no chunks."""
    answer = b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + COMPLETION
    async with world(tmp_path, wire, Once(answer, leaves=True)) as here:
        here.client.send(CHAT_LINE.replace(b"1.1", b"1.0") + LENGTH + b"\r\n" + BODY)
        status, headers = await here.client.head()
        assert (status, await here.client.rest()) == (200, COMPLETION)
    assert b"transfer-encoding" not in {name.lower() for name, _ in headers}


async def test_19_posts_are_not_repeated_after_bytes_of_an_answer(
    tmp_path: Path, wire: Wire
) -> None:
    """A call that began to be answered on a kept connection goes out once."""

    async def dies_in_its_second_answer(peer: Peer) -> None:
        await read_request(peer)
        peer.send(whole(COMPLETION))
        await read_request(peer)
        peer.send(b"HTTP/1.1 2")

    async with world(tmp_path, wire, dies_in_its_second_answer) as here:
        for status in (200, 502):
            assert (await here.client.ask(post(BODY))).status == status
        assert (here.provider.connections, here.provider.requests) == (1, 2)


async def test_23_authorization_passes(tmp_path: Path, wire: Wire) -> None:
    """Without a key of its own for the provider, Hearth leaves Authorization as it is."""
    async with world(tmp_path, wire) as here:
        here.client.send(post(BODY, "/v1/chat/completions", "Authorization: Bearer  sk-1=="))
        assert (await here.client.answer()).status == 200
    assert dict(fields_of(here.seen[0][0]))[b"authorization"] == b"Bearer  sk-1=="
