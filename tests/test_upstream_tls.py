"""The client over TLS: who is trusted, what a cut connection means, and all of it on both loops."""

import asyncio
import ssl
from collections.abc import Callable

import pytest
import uvloop

from gateway.errors import ConnectFailed, ConnectionLost, TimedOut
from gateway.wire.upstream import Upstream, verifying_context
from tests.parts.certificates import tls_for, trusting
from tests.parts.exchanges import GET, Body, fetch, relay
from tests.parts.raw_provider import OK, Peer, RawProvider, answers, serving
from tests.parts.waiting import until

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"


async def silent(peer: Peer) -> None:
    """Take part in no handshake."""
    await peer.wait_closed()


async def test_tls() -> None:
    """A certificate by a trusted CA for the right name is served, and the connection kept."""
    got: list[bytes] = []

    async def script(peer: Peer) -> None:
        for _ in range(2):
            await peer.head()
            got.append(await peer.read(1048576))
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n" + got[-1])
        await peer.wait_closed()

    async with RawProvider(script).running(tls_for("localhost")) as provider:
        client = provider.upstream("https://localhost", trusting())
        for body in (b"a" * 1048576, b"b" * 1048576):
            assert (await fetch(client, b"POST / HTTP/1.1\r\n\r\n", body))[1] == body
        assert provider.connections == 1


@pytest.mark.parametrize(
    ("name", "context", "reason"),
    [
        ("other.example", trusting, "Hostname mismatch"),
        ("localhost", verifying_context, "unable to get local issuer"),
    ],
    ids=["another name", "an unknown CA"],
)
async def test_certificate_is_verified(
    name: str, context: Callable[[], ssl.SSLContext], reason: str
) -> None:
    """A certificate for another name, or by an unknown CA, is a failure to connect."""
    async with RawProvider(answers(OK)).running(tls_for(name)) as provider:
        client = provider.upstream("https://localhost", context())
        with pytest.raises(ConnectFailed, match=rf"^localhost:\d+: .*{reason}"):
            await client.send(GET, b"")


async def test_tls_is_not_optional() -> None:
    """A provider that does not speak TLS on an https URL is a failure to connect."""

    async def plain(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await peer.wait_closed()

    async with serving(plain) as provider:
        with pytest.raises(ConnectFailed):
            await provider.upstream("https://localhost").send(GET, b"")


async def test_tls_cut_off_does_not_end_an_answer() -> None:
    """On uvloop, no body ends with a connection cut without close_notify (RFC 9112 9.8)."""
    body = Body()

    async def in_order(peer: Peer) -> None:
        await peer.head()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\nhello")

    async def cut_off(peer: Peer) -> None:
        await in_order(peer)
        await until(lambda: body.data == b"hello")
        peer.abort()

    async with RawProvider(in_order, cut_off).running(tls_for("localhost")) as provider:
        client = provider.upstream("https://localhost", trusting())
        assert (await fetch(client))[1] == b"hello"
        response = await client.send(GET, b"")
        with pytest.raises(ConnectionLost):
            await relay(response, body)
    assert body.ends == 0


async def test_tls_handshake_takes_too_long() -> None:
    """The connect timeout covers the TLS handshake, and the socket is closed after it."""
    async with serving(silent) as provider:
        client = provider.upstream("https://127.0.0.1", connect=0.05)
        with pytest.raises(TimedOut, match=r"not connected within 0\.05 s"):
            await client.send(GET, b"")
        await provider.wait_closed()


async def test_cancelled_while_connecting() -> None:
    """Who cancels a request that still waits for its connection closes that too."""
    async with serving(silent) as provider:
        sending = asyncio.create_task(provider.upstream("https://127.0.0.1").send(GET, b""))
        await until(lambda: provider.connections == 1)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        await provider.wait_closed()


@pytest.mark.parametrize("loop_factory", [uvloop.new_event_loop, asyncio.new_event_loop])
def test_works_on_both_loops(loop_factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """Whole, chunked, paused and stale, with TLS and without: uvloop and asyncio do the same."""

    async def script(peer: Peer) -> None:
        for answer in (OK, CHUNKED, b"HTTP/1.1 200 OK\r\nContent-Length: 8388608\r\n\r\n"):
            await peer.head()
            peer.send(answer)
        peer.send(b"a" * 8388608)
        await peer.head()

    async def exchange(client: Upstream) -> None:
        assert (await fetch(client))[1] == b"hello"
        assert (await fetch(client))[1] == b"hello"
        response = await client.send(GET, b"")
        body = Body()

        def pausing(data: bytes, end: bool) -> None:
            body(data, end)
            response.pause()
            asyncio.get_running_loop().call_soon(response.resume)

        await relay(response, pausing)
        assert len(body.data) == 8388608
        assert (await fetch(client))[1] == b"hello"

    async def both() -> None:
        async with serving(script) as provider:
            await exchange(provider.upstream())
            assert provider.connections == 2
        async with RawProvider(script).running(tls_for("localhost")) as provider:
            await exchange(provider.upstream("https://localhost", trusting()))
            assert provider.connections == 2

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(both())
