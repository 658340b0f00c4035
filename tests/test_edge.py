"""Connections, on both edges: many requests on one, split anywhere, hot and not, TLS and not."""

import asyncio
import logging
from pathlib import Path

import msgspec
import pytest

from gateway.wire.limits import Limits
from tests.parts.calls import CHAT, COMPLETION, STREAM, Requests, at, echo, read_request, whole
from tests.parts.certificates import tls_section, trusting
from tests.parts.gateways import Wire, running_gateway
from tests.parts.http_world import world
from tests.parts.raw_client import RawClient, connected, connected_saying, post
from tests.parts.raw_provider import Peer, serving
from tests.parts.recorded import generations, only_generation
from tests.parts.waiting import until

SMALL = b'{"model":"gpt-4o-mini"}'
CHUNKED = (
    b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\n" + SMALL[:5] + b"\r\n12\r\n" + SMALL[5:] + b"\r\n0\r\n\r\n"
)
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


def numbered(number: int) -> bytes:
    return b'{"model":"m%d"}' % number


async def test_keep_alive(tmp_path: Path, wire: Wire) -> None:
    """One connection carries request after request, and so does one to the provider."""
    async with world(tmp_path, wire, echo) as here:
        for number in range(5):
            assert (await here.client.ask(post(numbered(number)))).body == numbered(number)
        assert (here.provider.connections, here.provider.requests) == (1, 5)


async def test_pipelining(tmp_path: Path, wire: Wire) -> None:
    """Requests sent without waiting are answered one after the other, in order."""
    async with world(tmp_path, wire, echo) as here:
        here.client.send(b"".join(post(numbered(number)) for number in range(6)))
        for number in range(6):
            assert (await here.client.answer()).body == numbered(number)


async def test_much_is_pipelined(tmp_path: Path, wire: Wire) -> None:
    """More than an edge reads ahead waits in the client's socket, and is answered in its turn."""
    bodies = [b'{"model":"m%d","x":"%b"}' % (n, b"a" * 50_000) for n in range(20)]
    async with world(tmp_path, wire, echo) as here:
        here.client.send(b"".join(map(post, bodies)))
        for body in bodies:
            assert (await here.client.answer()).body == body


async def test_pipelined_answers_wait_for_a_slow_client(tmp_path: Path, wire: Wire) -> None:
    """A client that sends on and reads nothing is not served on: answers do not pile up."""
    answer = whole(b"a" * 1_000_000)
    asked = Requests(answer)
    async with world(tmp_path, wire, asked) as here:
        here.client.send(post(SMALL) * 100)
        await until(lambda: here.provider.requests > 1)
        await asyncio.sleep(0.3)  # nothing shows that no more are asked
        assert here.provider.requests < 20
        for _ in range(100):
            assert len((await here.client.answer()).body) == 1_000_000


@pytest.mark.parametrize("request_", [post(SMALL), CHUNKED, HEALTH], ids=["hot", "chunked", "GET"])
async def test_split_anywhere(tmp_path: Path, wire: Wire, request_: bytes) -> None:
    """A request means the same wherever the network cuts it in two."""
    async with world(tmp_path, wire, echo) as here:
        for position in range(1, len(request_)):
            await here.client.send_slowly(request_[:position], request_[position:])
            assert (await here.client.answer()).body in (SMALL, b'{"status":"ok"}')


async def test_byte_by_byte(tmp_path: Path, wire: Wire) -> None:
    """A request that comes a byte at a time is a request."""
    async with world(tmp_path, wire, echo) as here:
        await here.client.send_slowly(*(bytes([byte]) for byte in post(SMALL)))
        assert (await here.client.answer()).body == SMALL


@pytest.mark.parametrize("pipelined", [False, True], ids=["in turn", "pipelined"])
async def test_hot_and_other_requests_on_one_connection(
    tmp_path: Path, wire: Wire, pipelined: bool
) -> None:
    """A GET and a chunked upload between hot requests are answered on the same connection."""
    requests = [post(numbered(1)), HEALTH, post(numbered(2)), CHUNKED, post(numbered(3))]
    bodies = [numbered(1), b'{"status":"ok"}', numbered(2), SMALL, numbered(3)]
    async with world(tmp_path, wire, echo) as here:
        if pipelined:
            here.client.send(b"".join(requests))
        for request, body in zip(requests, bodies, strict=True):
            if not pipelined:
                here.client.send(request)
            assert (await here.client.answer()).body == body
        assert len(await generations(here.gateway)) == 4


async def test_expect_continue(tmp_path: Path, wire: Wire) -> None:
    """A client that waits for 100 Continue gets it, then its answer; and may go on."""
    async with world(tmp_path, wire, echo) as here:
        assert (await here.client.ask(post(numbered(1)))).status == 200
        head = post(SMALL, "/v1/completions", "Expect: 100-continue").removesuffix(SMALL)
        here.client.send(head)
        assert await here.client.head() == (100, [])
        assert (await here.client.ask(SMALL)).body == SMALL
        assert (await here.client.ask(post(numbered(2)))).body == numbered(2)


@pytest.mark.parametrize("coding", ["identity", "Identity"])
async def test_a_body_that_is_not_coded(tmp_path: Path, wire: Wire, coding: str) -> None:
    """It may say so, and case does not matter there (RFC 9110 section 8.4.1)."""
    async with world(tmp_path, wire, echo) as here:
        request = post(SMALL, "/v1/completions", f"Content-Encoding: {coding}")
        assert (await here.client.ask(request)).body == SMALL


async def test_connection_close(tmp_path: Path, wire: Wire) -> None:
    """The gateway says that it closes, closes, and answers nothing that came after."""
    closing = post(SMALL, "/v1/completions", "Connection: close")
    async with world(tmp_path, wire, echo) as here:
        # aiohttp's parser refuses such a surplus, and the request before it too.
        here.client.send(closing + (post(numbered(1)) * 1000 if wire == "fast" else b""))
        answer = await here.client.answer()
        assert (answer.body, answer.values(b"connection")) == (SMALL, [b"close"])
        assert await here.client.is_closed()
        assert here.provider.requests == 1


async def test_http_1_0(tmp_path: Path, wire: Wire) -> None:
    """An HTTP/1.0 client gets its answer unchunked, ended by the connection."""
    async with world(tmp_path, wire, echo) as here:
        request = post(SMALL).replace(b"HTTP/1.1", b"HTTP/1.0")
        here.client.send(request)
        status, headers = await here.client.head()
        assert (status, await here.client.rest()) == (200, SMALL)
        assert b"transfer-encoding" not in {name.lower() for name, _ in headers}


async def test_http_1_0_stream_that_broke_off(tmp_path: Path, wire: Wire) -> None:
    """Where only the connection's end ends the body, a cut is a reset and no clean end."""

    async def die(peer: Peer) -> None:
        await read_request(peer)
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")

    async with world(tmp_path, wire, die) as here:
        here.client.send(post(SMALL, "/v1/files").replace(b"HTTP/1.1", b"HTTP/1.0"))
        with pytest.raises(ConnectionResetError):
            await here.client.rest()


async def test_head_of_health(tmp_path: Path, wire: Wire) -> None:
    """HEAD is answered like GET, without the body."""
    async with world(tmp_path, wire, echo) as here:
        here.client.send(HEALTH.replace(b"GET", b"HEAD") + HEALTH)
        status, headers = await here.client.head()
        assert (status, dict(headers)[b"Content-Length"]) == (200, b"15")
        assert (await here.client.answer()).body == b'{"status":"ok"}'


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/files", "/v1/models/none", "/v1/x;"])
async def test_head_of_what_is_refused(tmp_path: Path, wire: Wire, path: str) -> None:
    """An error to HEAD has no body either, or it would be taken for the next answer."""
    keys = [{"name": "app", "key": "sk-app"}]
    async with (
        serving(echo) as provider,
        running_gateway(tmp_path, [at(provider)], server={"wire": wire}, keys=keys) as gateway,
        connected(gateway.origin) as client,
    ):
        client.send(b"HEAD %b HTTP/1.1\r\nHost: localhost\r\n\r\n" % path.encode() + HEALTH)
        status, headers = await client.head()
        assert status == 401
        assert int(dict(headers)[b"Content-Length"]) > 0
        assert (await client.answer()).body == b'{"status":"ok"}'


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/files", "/v1/user/query"])
@pytest.mark.parametrize("framing", ["Content-Length: 1000000", "Transfer-Encoding: chunked"])
async def test_nobodys_body_is_not_waited_for(
    tmp_path: Path, wire: Wire, path: str, framing: str
) -> None:
    """Who shows no key that is known is told so at once, and can have nothing kept in memory."""
    keys = [{"name": "app", "key": "sk-app"}]
    async with (
        serving(echo) as provider,
        running_gateway(tmp_path, [at(provider)], server={"wire": wire}, keys=keys) as gateway,
        connected(gateway.origin) as client,
    ):
        client.send(f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n\r\n".encode())
        answer = await client.answer()
        assert (answer.status, answer.values(b"connection")) == (401, [b"close"])


@pytest.mark.parametrize("length", [200, 300_000], ids=["in one read", "in many"])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
async def test_body_over_the_limit(tmp_path: Path, wire: Wire, length: int, chunked: bool) -> None:
    """413 in the API's words, on record and never sent on, however the body is framed."""
    request = post(b"a" * length)
    if chunked:
        head = request.partition(b"Content-Length")[0] + b"Transfer-Encoding: chunked\r\n\r\n"
        request = head + b"%x\r\n%b\r\n0\r\n\r\n" % (length, b"a" * length)
    async with world(tmp_path, wire, echo, max_body=100) as here:
        answer = await here.client.ask(request)
        error = msgspec.json.decode(answer.body)["error"]
        assert (answer.status, error["code"]) == (413, "payload_too_large")
        assert here.provider.connections == 0
        record = await only_generation(here.gateway)
    assert record["id"] == answer.text("x-generation-id")
    assert (record["hearth"]["status"], record["hearth"]["outcome"]) == (413, "refused")


async def test_body_at_the_limit(tmp_path: Path, wire: Wire) -> None:
    """A body of exactly `max_body` bytes passes."""
    async with world(tmp_path, wire, echo, max_body=len(CHAT)) as here:
        assert (await here.client.ask(post(CHAT))).body == CHAT


async def test_large_bodies(tmp_path: Path, wire: Wire) -> None:
    """Megabytes pass both ways."""
    body = b'{"model":"m","x":"%b"}' % (b"a" * 8_000_000)
    async with world(tmp_path, wire, echo) as here:
        assert (await here.client.ask(post(body))).body == body


@pytest.mark.parametrize(
    "noise",
    [b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"POST / HTTP/1.1\r\n\r\n" + b"\x00" * 10],
    ids=["TLS", "no target", "no host"],
)
async def test_noise(tmp_path: Path, wire: Wire, noise: bytes) -> None:
    """What is not HTTP costs its sender the connection and nobody else anything."""
    async with world(tmp_path, wire, echo) as here:
        here.client.send(noise + b"\r\n\r\n")
        assert (await here.client.rest()).startswith((b"HTTP/1.0 4", b"HTTP/1.1 4"))
        async with connected(here.gateway.origin) as another:
            assert (await another.ask(post(SMALL))).body == SMALL


async def test_tls(tmp_path: Path, wire: Wire) -> None:
    """Behind TLS everything is the same: hot, handed over, streamed."""
    async with serving(Requests(whole(COMPLETION))) as provider:
        server = {"wire": wire, "tls": tls_section(tmp_path)}
        async with running_gateway(tmp_path, [at(provider)], server=server) as gateway:
            assert gateway.origin.startswith("https://")
            async with connected(gateway.origin, trusting()) as client:
                for request in (post(CHAT), post(STREAM), CHUNKED, post(CHAT)):
                    assert (await client.ask(request)).body == COMPLETION


async def test_quiet(tmp_path: Path, wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    """Clients that leave at any moment leave nothing in the log."""
    caplog.set_level(logging.INFO)
    async with world(tmp_path, wire, echo) as here:
        for sent in (b"", b"POST", post(SMALL)[:-1], post(SMALL), CHUNKED[:-5], HEALTH):
            for leave in (RawClient.close, RawClient.reset):
                async with connected(here.gateway.origin) as client:
                    client.send(sent)
                    leave(client)
    assert caplog.messages == []


async def test_a_long_answer_is_no_idleness(tmp_path: Path, wire: Wire) -> None:
    """While its answer is awaited, a client may be silent for as long as it takes."""
    hasty = Limits(head=0.1, idle=0.1, body=0.1, answer=0.1)

    async def think(peer: Peer) -> None:
        _, body = await read_request(peer)
        await asyncio.sleep(0.3)  # longer than any of these limits
        peer.send(whole(body))
        await peer.wait_closed()

    async with (
        world(tmp_path, wire, think, limits=hasty) as here,
        connected_saying(here.gateway.origin, post(CHAT)) as client,
    ):
        assert (await client.answer()).body == CHAT
