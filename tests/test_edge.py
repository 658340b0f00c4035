"""Connections, on both edges: many requests on one, split anywhere, hot and not, TLS and not."""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trustme

from gateway.wire.limits import LIMITS, Limits
from tests.calls import CHAT, COMPLETION, STREAM, Requests, at, read_request, whole
from tests.conftest import Wire
from tests.gateways import RunningGateway, running_gateway
from tests.raw_client import RawClient, connected, post
from tests.raw_provider import Peer, RawProvider, Script, serving
from tests.recorded import generations, only_generation
from tests.waiting import until

SMALL = b'{"model":"gpt-4o-mini"}'
CHUNKED = (
    b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\n" + SMALL[:5] + b"\r\n12\r\n" + SMALL[5:] + b"\r\n0\r\n\r\n"
)
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def echo(peer: Peer) -> None:
    """Answer every request with its own body."""
    while True:
        _, body = await read_request(peer)
        peer.send(whole(body))


@contextlib.asynccontextmanager
async def gateway_to(
    folder: Path, wire: Wire, script: Script = echo, limits: Limits = LIMITS, **server: Any
) -> AsyncIterator[tuple[RunningGateway, RawProvider, RawClient]]:
    """A gateway with one scripted provider, and a client's connection to it."""
    async with serving(script) as provider:
        server = {"wire": wire, **server}
        async with (
            running_gateway(folder, [at(provider)], limits, server=server) as gateway,
            connected(gateway.origin) as client,
        ):
            yield gateway, provider, client


def numbered(number: int) -> bytes:
    return b'{"model":"m%d"}' % number


async def test_keep_alive(tmp_path: Path, wire: Wire) -> None:
    """One connection carries request after request, and so does one to the provider."""
    async with gateway_to(tmp_path, wire) as (_, provider, client):
        for number in range(5):
            client.send(post(numbered(number)))
            assert (await client.answer()).body == numbered(number)
        assert (provider.connections, provider.requests) == (1, 5)


async def test_pipelining(tmp_path: Path, wire: Wire) -> None:
    """Requests sent without waiting are answered one after the other, in order."""
    async with gateway_to(tmp_path, wire) as (_, _, client):
        client.send(b"".join(post(numbered(number)) for number in range(6)))
        for number in range(6):
            assert (await client.answer()).body == numbered(number)


async def test_much_is_pipelined(tmp_path: Path, wire: Wire) -> None:
    """More than an edge reads ahead waits in the client's socket, and is answered in its turn."""
    bodies = [b'{"model":"m%d","x":"%b"}' % (n, b"a" * 50_000) for n in range(20)]
    async with gateway_to(tmp_path, wire) as (_, _, client):
        client.send(b"".join(map(post, bodies)))
        for body in bodies:
            assert (await client.answer()).body == body


async def test_pipelined_answers_wait_for_a_slow_client(tmp_path: Path, wire: Wire) -> None:
    """A client that sends on and reads nothing is not served on: answers do not pile up."""
    answer = whole(b"a" * 1_000_000)
    asked = Requests(answer)
    async with gateway_to(tmp_path, wire, asked) as (_, provider, client):
        client.send(post(SMALL) * 100)
        await until(lambda: provider.requests > 1)
        await asyncio.sleep(0.3)
        assert provider.requests < 20
        for _ in range(100):
            assert len((await client.answer()).body) == 1_000_000


@pytest.mark.parametrize("request_", [post(SMALL), CHUNKED, HEALTH], ids=["hot", "chunked", "GET"])
async def test_split_anywhere(tmp_path: Path, wire: Wire, request_: bytes) -> None:
    """A request means the same wherever the network cuts it in two."""
    async with gateway_to(tmp_path, wire) as (_, _, client):
        for position in range(1, len(request_)):
            await client.send_slowly(request_[:position], request_[position:])
            assert (await client.answer()).body in (SMALL, b'{"status":"ok"}')


async def test_byte_by_byte(tmp_path: Path, wire: Wire) -> None:
    """A request that comes a byte at a time is a request."""
    async with gateway_to(tmp_path, wire) as (_, _, client):
        await client.send_slowly(*(bytes([byte]) for byte in post(SMALL)))
        assert (await client.answer()).body == SMALL


@pytest.mark.parametrize("pipelined", [False, True], ids=["in turn", "pipelined"])
async def test_hot_and_other_requests_on_one_connection(
    tmp_path: Path, wire: Wire, pipelined: bool
) -> None:
    """A GET and a chunked upload between hot requests are answered on the same connection."""
    requests = [post(numbered(1)), HEALTH, post(numbered(2)), CHUNKED, post(numbered(3))]
    bodies = [numbered(1), b'{"status":"ok"}', numbered(2), SMALL, numbered(3)]
    async with gateway_to(tmp_path, wire) as (gateway, _, client):
        if pipelined:
            client.send(b"".join(requests))
        for request, body in zip(requests, bodies, strict=True):
            if not pipelined:
                client.send(request)
            assert (await client.answer()).body == body
        assert len(await generations(gateway)) == 4


async def test_expect_continue(tmp_path: Path, wire: Wire) -> None:
    """A client that waits for 100 Continue gets it, then its answer; and may go on."""
    async with gateway_to(tmp_path, wire) as (_, _, client):
        client.send(post(numbered(1)))
        assert (await client.answer()).status == 200
        head = post(SMALL, "/v1/completions", "Expect: 100-continue").removesuffix(SMALL)
        client.send(head)
        assert await client.head() == (100, [])
        client.send(SMALL)
        assert (await client.answer()).body == SMALL
        client.send(post(numbered(2)))
        assert (await client.answer()).body == numbered(2)


async def test_connection_close(tmp_path: Path, wire: Wire) -> None:
    """The gateway says that it closes, closes, and answers nothing that came after."""
    closing = post(SMALL, "/v1/completions", "Connection: close")
    async with gateway_to(tmp_path, wire) as (_, provider, client):
        # aiohttp's parser refuses such a surplus, and the request before it too.
        client.send(closing + (post(numbered(1)) * 1000 if wire == "fast" else b""))
        answer = await client.answer()
        assert (answer.body, answer.values(b"connection")) == (SMALL, [b"close"])
        assert await client.is_closed()
        assert provider.requests == 1


async def test_http_1_0(tmp_path: Path, wire: Wire) -> None:
    """An HTTP/1.0 client gets its answer unchunked, ended by the connection."""
    async with gateway_to(tmp_path, wire) as (_, _, client):
        request = post(SMALL).replace(b"HTTP/1.1", b"HTTP/1.0")
        client.send(request)
        status, headers = await client.head()
        assert (status, await client.rest()) == (200, SMALL)
        assert b"transfer-encoding" not in {name.lower() for name, _ in headers}


async def test_http_1_0_stream_that_broke_off(tmp_path: Path, wire: Wire) -> None:
    """Where only the connection's end ends the body, a cut is a reset and no clean end."""

    async def die(peer: Peer) -> None:
        await read_request(peer)
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")

    async with gateway_to(tmp_path, wire, die) as (_, _, client):
        client.send(post(SMALL, "/v1/files").replace(b"HTTP/1.1", b"HTTP/1.0"))
        with pytest.raises(ConnectionResetError):
            await client.rest()


async def test_head_of_health(tmp_path: Path, wire: Wire) -> None:
    """HEAD is answered like GET, without the body."""
    async with gateway_to(tmp_path, wire) as (_, _, client):
        client.send(HEALTH.replace(b"GET", b"HEAD") + HEALTH)
        status, headers = await client.head()
        assert (status, dict(headers)[b"Content-Length"]) == (200, b"15")
        assert (await client.answer()).body == b'{"status":"ok"}'


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
    async with gateway_to(tmp_path, wire, max_body=100) as (gateway, provider, client):
        client.send(request)
        answer = await client.answer()
        error = msgspec.json.decode(answer.body)["error"]
        assert (answer.status, error["code"]) == (413, "payload_too_large")
        assert provider.connections == 0
        record = await only_generation(gateway)
    assert record["id"] == answer.text("x-generation-id")
    assert (record["hearth"]["status"], record["hearth"]["outcome"]) == (413, "refused")


async def test_body_at_the_limit(tmp_path: Path, wire: Wire) -> None:
    """A body of exactly `max_body` bytes passes."""
    async with gateway_to(tmp_path, wire, max_body=len(CHAT)) as (_, _, client):
        client.send(post(CHAT))
        assert (await client.answer()).body == CHAT


async def test_large_bodies(tmp_path: Path, wire: Wire) -> None:
    """Megabytes pass both ways."""
    body = b'{"model":"m","x":"%b"}' % (b"a" * 8_000_000)
    async with gateway_to(tmp_path, wire) as (_, _, client):
        client.send(post(body))
        assert (await client.answer()).body == body


@pytest.mark.parametrize(
    "noise",
    [b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"POST / HTTP/1.1\r\n\r\n" + b"\x00" * 10],
    ids=["TLS", "no target", "no host"],
)
async def test_noise(tmp_path: Path, wire: Wire, noise: bytes) -> None:
    """What is not HTTP costs its sender the connection and nobody else anything."""
    async with gateway_to(tmp_path, wire) as (gateway, _, client):
        client.send(noise + b"\r\n\r\n")
        assert (await client.rest()).startswith((b"HTTP/1.0 4", b"HTTP/1.1 4"))
        async with connected(gateway.origin) as another:
            another.send(post(SMALL))
            assert (await another.answer()).body == SMALL


async def test_head_without_end(tmp_path: Path, wire: Wire) -> None:
    """A head that grows and grows is refused."""
    async with gateway_to(tmp_path, wire) as (_, _, client):
        client.send(b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100_000)
        with contextlib.suppress(ConnectionResetError):
            assert (await client.rest()).split(b" ")[1] == b"431"


async def test_tls(tmp_path: Path, wire: Wire) -> None:
    """Behind TLS everything is the same: hot, handed over, streamed."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    tls = {"cert": str(tmp_path / "cert.pem"), "key": str(tmp_path / "key.pem")}
    async with serving(Requests(whole(COMPLETION))) as provider:
        server = {"wire": wire, "tls": tls}
        async with running_gateway(tmp_path, [at(provider)], server=server) as gateway:
            assert gateway.origin.startswith("https://")
            async with connected(gateway.origin, trust) as client:
                for request in (post(CHAT), post(STREAM), CHUNKED, post(CHAT)):
                    client.send(request)
                    assert (await client.answer()).body == COMPLETION


async def test_quiet(tmp_path: Path, wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    """Clients that leave at any moment leave nothing in the log."""
    caplog.set_level(logging.INFO)
    async with gateway_to(tmp_path, wire) as (gateway, _, _):
        for sent in (b"", b"POST", post(SMALL)[:-1], post(SMALL), CHUNKED[:-5], HEALTH):
            for leave in (RawClient.close, RawClient.reset):
                async with connected(gateway.origin) as client:
                    client.send(sent)
                    leave(client)
    assert caplog.messages == []


async def test_a_long_answer_is_no_idleness(tmp_path: Path, wire: Wire) -> None:
    """While its answer is awaited, a client may be silent for as long as it takes."""
    hasty = Limits(head=0.02, idle=0.02, body=0.02, answer=0.02)

    async def think(peer: Peer) -> None:
        _, body = await read_request(peer)
        await asyncio.sleep(0.1)
        peer.send(whole(body))
        await peer.wait_closed()

    async with gateway_to(tmp_path, wire, think, hasty) as (_, _, client):
        client.send(post(CHAT))
        assert (await client.answer()).body == CHAT
