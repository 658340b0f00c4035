"""Clients that are slow, endless or deaf: how long they are waited for, on both edges."""

import asyncio
import time
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from gateway.wire.limits import MAX_FIELDS, MAX_HEAD, Limits
from tests.parts.calls import CHAT, echo, read_request, whole
from tests.parts.certificates import tls_section
from tests.parts.gateways import Wire, running_gateway
from tests.parts.http_world import BODY, CHAT_LINE, CHUNKED, HOST, world
from tests.parts.raw_client import RawAnswer, RawClient, connected, connected_saying, post
from tests.parts.raw_provider import Peer
from tests.parts.recorded import next_generation

LATE_HEAD = Limits(head=0.1, idle=30, linger=5)
LATE_BODY = Limits(body=0.1, linger=0.5, rate=1000)
DEAF = Limits(answer=0.1)
SOON = 20
"""Seconds that a busy machine may take for what is due in a tenth of one: all others are more."""
LOGIN_LINE = b"POST /login HTTP/1.1\r\n"


def is_late(answer: RawAnswer) -> bool:
    """Whether it is a 408 that ends the connection, in OpenAI's envelope."""
    error = msgspec.json.decode(answer.body)["error"]
    assert (answer.values(b"connection"), error["code"]) == ([b"close"], "request_timeout")
    return answer.status == 408


async def trickle(client: RawClient, data: bytes) -> None:
    """Send a byte every two milliseconds, until the gateway has had enough."""
    for byte in data:
        try:
            await client.send_slowly(bytes([byte]))
        except RuntimeError:  # uvloop's word for a connection that is closed
            return


async def test_no_head_at_all(tmp_path: Path, wire: Wire) -> None:
    """A new connection that says nothing is closed without a word."""
    async with world(tmp_path, wire, limits=LATE_HEAD) as here:
        started = time.monotonic()
        assert await here.client.is_closed()
        assert time.monotonic() - started < SOON


async def test_no_handshake(tmp_path: Path, wire: Wire) -> None:
    """With TLS the same holds before there is any: the handshake has the time of a head."""
    server = {"wire": wire, "tls": tls_section(tmp_path)}
    provider = {"name": "a", "base_url": "http://127.0.0.1:9"}
    async with (
        running_gateway(tmp_path, [provider], LATE_HEAD, server=server) as gateway,
        connected(gateway.origin) as client,
    ):
        started = time.monotonic()
        assert await client.is_closed()
        assert time.monotonic() - started < SOON


@pytest.mark.parametrize("begun", [b"P", CHAT_LINE, CHAT_LINE + HOST + b"X: y\r\n"])
async def test_half_a_head(tmp_path: Path, wire: Wire, begun: bytes) -> None:
    """A head that stays half is 408, and nothing of it goes on."""
    async with (
        world(tmp_path, wire, limits=LATE_HEAD) as here,
        connected_saying(here.gateway.origin, begun) as client,
    ):
        assert is_late(await client.answer())
        assert await client.is_closed()
        assert here.provider.connections == 0


async def test_a_head_that_trickles(tmp_path: Path, wire: Wire) -> None:
    """Single bytes do not put the deadline off."""
    async with world(tmp_path, wire, limits=LATE_HEAD) as here:
        started = time.monotonic()
        async with connected_saying(here.gateway.origin, CHAT_LINE) as client:
            sending = asyncio.ensure_future(trickle(client, b"X: " + b"a" * 5000))
            assert is_late(await client.answer())
            assert time.monotonic() - started > 0.09
            assert not sending.done()
            sending.cancel()


@pytest.mark.parametrize("first", [post(BODY), b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"])
async def test_a_later_head(tmp_path: Path, wire: Wire, first: bytes) -> None:
    """Between requests there is time; from the first byte of a head on, its deadline counts.

    The second request goes to aiohttp, which has taken the connection over by then.
    """
    async with (
        world(tmp_path, wire, limits=LATE_HEAD) as here,
        connected_saying(here.gateway.origin, first) as client,
    ):
        assert (await client.answer()).status == 200
        await asyncio.sleep(2 * LATE_HEAD.head)
        assert (await client.ask(first)).status == 200
        client.send(first[:10])
        assert is_late(await client.answer())
        assert await client.is_closed()


@pytest.mark.parametrize("first", [post(BODY), b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"])
@pytest.mark.parametrize("begun", [b"P", CHAT_LINE, CHAT_LINE + HOST])
async def test_half_a_head_behind_a_request(
    tmp_path: Path, wire: Wire, first: bytes, begun: bytes
) -> None:
    """The clock of a pipelined head runs from the answer before it on."""
    async with world(tmp_path, wire, limits=LATE_HEAD) as here:
        started = time.monotonic()
        async with connected_saying(here.gateway.origin, first + begun) as client:
            assert (await client.answer()).status == 200
            assert is_late(await client.answer())
            assert await client.is_closed()
        assert time.monotonic() - started < SOON


@pytest.mark.parametrize("first", [post(BODY), b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"])
async def test_idleness(tmp_path: Path, wire: Wire, first: bytes) -> None:
    """A kept connection is closed without a word when nothing comes."""
    async with world(tmp_path, wire, limits=Limits(idle=0.1)) as here:
        assert (await here.client.ask(first)).status == 200
        assert await here.client.is_closed()


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunks"])
@pytest.mark.parametrize("trickles", [False, True], ids=["stops", "trickles"])
async def test_a_body_that_does_not_come(
    tmp_path: Path, wire: Wire, chunked: bool, trickles: bool
) -> None:
    """Under the rate a body is 408, on record with its user's key, and nothing goes on."""
    framing = CHUNKED if chunked else b"Content-Length: 5000\r\n"
    begun = CHAT_LINE + HOST + framing + b"\r\n" + (b"fff\r\n" if chunked else b"")
    async with world(tmp_path, wire, limits=LATE_BODY) as here:
        here.client.send(begun + b"{")
        sending = asyncio.ensure_future(
            trickle(here.client, b"a" * 40 if trickles else b"")  # 400 a second
        )
        answer = await here.client.answer()
        assert is_late(answer)
        assert await here.client.is_closed()
        await sending
        assert here.provider.connections == 0
        record = await next_generation(here.gateway)
    assert record["id"] == answer.text("x-generation-id")
    assert (record["hearth"]["status"], record["hearth"]["outcome"]) == (408, "refused")


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunks"])
async def test_a_body_that_is_merely_slow(tmp_path: Path, wire: Wire, chunked: bool) -> None:
    """A body over the rate may take as many windows as it needs."""
    pieces = [b"a" * 400] * 8
    framing = CHUNKED if chunked else b"Content-Length: 3200\r\n"
    slow = Limits(body=0.3, rate=1000)  # eight pieces take longer than that
    async with world(tmp_path, wire, limits=slow) as here:
        here.client.send(
            CHAT_LINE.replace(b"chat/completions", b"files") + HOST + framing + b"\r\n"
        )
        for piece in pieces:
            here.client.send(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
            await asyncio.sleep(0.05)
        assert (await here.client.ask(b"0\r\n\r\n" if chunked else b"")).status == 200
    assert here.seen[0][1] == b"".join(pieces)


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunks"])
async def test_a_form_that_does_not_come(tmp_path: Path, wire: Wire, chunked: bool) -> None:
    """Signing in waits for a body no longer than anything else."""
    framing = CHUNKED if chunked else b"Content-Length: 50\r\n"
    begun = LOGIN_LINE + HOST + framing + b"\r\n" + (b"32\r\n" if chunked else b"")
    async with world(tmp_path, wire, limits=LATE_BODY) as here:
        answer = await here.client.ask(begun + b"key=")
        assert (answer.status, answer.values(b"connection")) == (408, [b"close"])
        assert b"slower than 1000 bytes a second" in answer.body
        assert await here.client.is_closed()


async def test_a_form_that_is_too_long(tmp_path: Path, wire: Wire) -> None:
    """It is refused before it has come, and the connection with it."""
    async with world(tmp_path, wire, limits=LATE_BODY) as here:
        answer = await here.client.ask(LOGIN_LINE + HOST + b"Content-Length: 5000\r\n\r\nkey=")
        assert (answer.status, answer.values(b"connection")) == (413, [b"close"])
        assert await here.client.is_closed()


@pytest.mark.parametrize("path", ["/healthz", "/logout", "/nowhere", "/v1/models"])
async def test_a_body_that_nobody_reads(tmp_path: Path, wire: Wire, path: str) -> None:
    """What is answered without its body is the last request, and says so."""
    async with world(tmp_path, wire, limits=LATE_BODY) as here:
        line = f"POST {path} HTTP/1.1\r\n".encode()
        here.client.send(line + HOST + b"Content-Length: 5000\r\n\r\n{")
        assert (await here.client.answer()).values(b"connection") == [b"close"]
        assert await here.client.is_closed()


@pytest.mark.parametrize("framing", [b"Content-Length: 100000\r\n", CHUNKED])
async def test_a_body_that_is_too_long(tmp_path: Path, wire: Wire, framing: bytes) -> None:
    """Who sends it whole before reading, slower than one linger, still reads why it is refused."""
    limits = Limits(linger=0.8)
    async with world(tmp_path, wire, limits=limits, max_body=1000) as here:
        here.client.send(CHAT_LINE + HOST + framing + b"\r\n")
        for _ in range(50):
            here.client.send(b"3e8\r\n" + b"a" * 1000 + b"\r\n")
            await asyncio.sleep(0.02)
        assert (await here.client.answer()).status == 413
        assert await here.client.is_closed()


async def test_a_body_that_goes_on_too_late(tmp_path: Path, wire: Wire) -> None:
    """Nor is that lost on a client that stalled, and then sends all of it before it reads."""
    limits = Limits(body=0.1, linger=0.8)
    async with world(tmp_path, wire, limits=limits) as here:
        here.client.send(CHAT_LINE + HOST + b"Content-Length: 100000\r\n\r\n")
        await next_generation(here.gateway)
        for _ in range(50):
            here.client.send(b"a" * 1000)
            await asyncio.sleep(0.02)
        assert is_late(await here.client.answer())
        assert await here.client.is_closed()


@pytest.mark.parametrize(("rate", "most"), [(100_000, 30.0), (1, 0.1)])
async def test_a_body_that_is_far_too_long(
    tmp_path: Path, wire: Wire, rate: int, most: float
) -> None:
    """Who sends too slowly what nobody wants, or for too long, is not waited for."""
    limits = Limits(linger=0.05, linger_most=most, rate=rate)
    async with world(tmp_path, wire, limits=limits, max_body=1000) as here:
        started = time.monotonic()
        here.client.send(CHAT_LINE + HOST + b"Content-Length: 1000000\r\n\r\n")
        await trickle(here.client, b"a" * 20_000)
        assert time.monotonic() - started < SOON


async def flood(peer: Peer) -> None:
    """An answer of a quarter of a gigabyte, at the pace of whoever takes it."""
    await read_request(peer)
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    piece = b"%x\r\n%b\r\n" % (256 * 1024, b"a" * 256 * 1024)
    for _ in range(1000):
        peer.send(piece)
        await peer.is_stalled(60)
    await peer.wait_closed()


async def test_a_client_that_takes_nothing(
    tmp_path: Path, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    """A deaf client is cut off, its call is cancelled, the provider let go; no word in the log."""
    async with world(tmp_path, wire, flood, limits=DEAF) as here:
        here.client.send(post(CHAT, "/v1/files"))
        record = await next_generation(here.gateway)
        await here.provider.wait_closed()
    assert record["cancelled"]
    assert caplog.messages == []


async def test_a_client_that_takes_it_slowly(tmp_path: Path, wire: Wire) -> None:
    """As long as something is taken in every window, an answer may last."""
    patient = Limits(answer=0.5, rate=100_000)
    taken = 0
    async with world(tmp_path, wire, flood, limits=patient) as here:
        here.client.send(post(CHAT, "/v1/files"))
        _, headers = await here.client.head()
        async for piece in here.client.pieces(headers):
            taken += len(piece)
            await asyncio.sleep(0.02)
            if taken > 15_000_000:
                break
        assert taken > 15_000_000


@pytest.mark.parametrize("last", [False, True], ids=["kept", "closing"])
async def test_a_deaf_client_of_an_answer_that_has_ended(
    tmp_path: Path, wire: Wire, last: bool
) -> None:
    """What is left of an answer does not hold the connection for ever either."""
    size = 8_000_000

    async def answer(peer: Peer) -> None:
        await read_request(peer)
        peer.send(whole(b"a" * size))

    taken = 0
    async with world(tmp_path, wire, answer, limits=Limits(answer=0.1, idle=0.1)) as here:
        fields = ["Connection: close"] if last else []
        here.client.send(post(CHAT, "/v1/files", *fields))
        # Nothing shows the end to one who does not read: every window, however long one turn is.
        for _ in range(50):
            await asyncio.sleep(0.01)
        with suppress(ConnectionError):
            while data := await here.client.some():
                taken += len(data)
    assert taken < size


@pytest.mark.parametrize(
    "fields",
    [
        b"X: " + b"a" * MAX_HEAD + b"\r\n",
        b"".join(b"X%d: %b\r\n" % (n, b"a" * 1000) for n in range(MAX_HEAD // 1000 + 1)),
        b"X: y\r\n" * (MAX_FIELDS + 1),
    ],
    ids=["one field", "many fields", "too many fields"],
)
@pytest.mark.parametrize("ends", [True, False], ids=["whole", "without end"])
async def test_heads_that_are_too_large(
    tmp_path: Path, wire: Wire, fields: bytes, ends: bool
) -> None:
    """Over the limit of bytes or fields a head is 431, at the latest when it ends."""
    head = CHAT_LINE + HOST + fields
    if not ends and len(head) < MAX_HEAD:
        head += b"X: " + b"a" * MAX_HEAD
    async with world(tmp_path, wire) as here:
        answer = await here.client.ask(head + (b"Content-Length: 0\r\n\r\n" if ends else b""))
        error = msgspec.json.decode(answer.body)["error"]
        assert (answer.status, error["code"]) == (431, "request_head_too_large")
        assert await here.client.is_closed()
        assert here.provider.connections == 0


async def test_heads_at_the_limit(tmp_path: Path, wire: Wire) -> None:
    """A head of exactly as many fields as may be passes, and a large one too."""
    many = ["X: y"] * (MAX_FIELDS - 3)
    large = ["X: " + "a" * (MAX_HEAD - 300)]
    async with world(tmp_path, wire) as here:
        for fields in (many, large):
            assert (await here.client.ask(post(BODY, "/v1/files", *fields))).status == 200


async def test_two_requests_cut_anywhere(tmp_path: Path, wire: Wire) -> None:
    """Wherever a read ends in two pipelined requests, both are answered, in order."""
    bodies = (b'{"model":"one"}', b'{"model":"two"}')
    both = b"".join(map(post, bodies))
    async with world(tmp_path, wire, echo) as here:
        for position in range(1, len(both)):
            await here.client.send_slowly(both[:position], both[position:])
            for body in bodies:
                assert (await here.client.answer()).body == body
        assert here.provider.connections == 1
