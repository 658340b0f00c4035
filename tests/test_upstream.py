"""One provider's connections: which are kept, which are used again, and the one safe retry."""

import asyncio
import socket
import time
from functools import partial

import pytest
import uvloop

from gateway.config import Timeouts
from gateway.errors import (
    ConnectFailed,
    ConnectionLost,
    NoConnection,
    ProtocolError,
    TimedOut,
)
from gateway.units import Duration
from gateway.wire.driver import Driver
from gateway.wire.upstream import Upstream
from tests.parts.dead_ends import resetting, unanswered
from tests.parts.exchanges import GET, Body, fetch, relay
from tests.parts.raw_provider import OK, Peer, RawProvider, answers, closes_after, serving
from tests.parts.rlimits import no_more_files
from tests.parts.waiting import until

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
NO_BODY = b"HTTP/1.1 204 No Content\r\n\r\n"


def shown(client: Upstream, kept: int) -> str:
    """What `repr` shows of a client with so many connections kept."""
    return f"{str(client).split(',')[0]}, {kept} connections kept>"


@pytest.mark.parametrize(
    ("base_url", "authority", "base_path"),
    [
        ("https://api.openai.com/v1/", b"api.openai.com", b"/v1"),
        ("http://127.0.0.1:8000", b"127.0.0.1:8000", b""),
        ("http://[::1]:8000/", b"[::1]:8000", b""),
        (f"http://{'a' * 63}:8000", b"a" * 63 + b":8000", b""),
        ("http://b\u00fccher.example:81/\u00fc/%2F", b"xn--bcher-kva.example:81", b"/%C3%BC/%2F"),
    ],
)
def test_base_url(base_url: str, authority: bytes, base_path: bytes) -> None:
    """Host and path prefix come from the base URL, in ASCII; the path has no slash at its end."""
    client = Upstream(base_url, Timeouts())
    assert (client.authority, client.base_path) == (authority, base_path)


async def test_connection_is_used_again() -> None:
    """A clean end of an answer, however it is framed, leaves the connection for the next one."""
    interim = b"HTTP/1.1 100 Continue\r\n\r\n" + OK
    async with serving(answers(OK, CHUNKED, NO_BODY, interim, OK)) as provider:
        client = provider.upstream()
        bodies = [(await fetch(client))[1] for _ in range(5)]
        assert bodies == [b"hello", b"hello", b"", b"hello", b"hello"]
        assert (provider.connections, provider.requests) == (1, 5)
        assert repr(client) == f"<Upstream 127.0.0.1:{provider.port}, 1 connections kept>"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        OK + b"surplus",
        OK + OK,
    ],
    ids=["close", "HTTP/1.0", "surplus", "an answer to nothing"],
)
async def test_connection_is_not_used_again(answer: bytes) -> None:
    """An answer that says so, or bytes after it, make the connection's first answer its last."""
    async with serving(answers(answer)) as provider:
        client = provider.upstream()
        assert (await fetch(client))[1] == b"hello"
        await provider.wait_closed()
        assert (await fetch(client))[1] == b"hello"
        assert provider.connections == 2


async def test_unfinished_request_spoils_the_connection() -> None:
    """An answer that comes while the request is still being sent ends the connection too."""
    async with serving(answers(OK)) as provider:
        head = b"POST / HTTP/1.1\r\nContent-Length: 67108864\r\n\r\n"
        client = provider.upstream()
        assert (await fetch(client, head, b"a" * 67108864))[1] == b"hello"
        assert repr(client) == shown(client, 0)
        await provider.wait_closed()


async def test_a_failure_does_not_spoil_the_next_exchange() -> None:
    """After an error the next request has a new connection."""
    async with serving(answers(b"garbage\r\n"), answers(OK)) as provider:
        client = provider.upstream()
        with pytest.raises(ProtocolError):
            await client.send(GET, b"")
        assert (await fetch(client))[1] == b"hello"
        assert provider.connections == 2


async def test_closed_response_gives_back_only_a_whole_answer() -> None:
    """A response that is not wanted keeps its connection if all of it is here."""
    part = b"HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n\r\nhel"
    async with serving(answers(OK, part), answers(OK)) as provider:
        client = provider.upstream()
        (await client.send(GET, b"")).close()
        response = await client.send(GET, b"")
        assert (response.status, provider.connections) == (503, 1)
        response.close()
        response.close()
        assert (await fetch(client))[1] == b"hello"
        assert provider.connections == 2


async def stale(peer: Peer) -> None:
    """Answer once, and end the connection when it is used again."""
    await peer.head()
    peer.send(OK)
    await peer.head()


async def test_stale_connection_is_retried_on_a_new_one() -> None:
    """A kept connection that ends when it is used again costs the caller nothing."""
    async with serving(stale, answers(OK)) as provider:
        client = provider.upstream()
        await fetch(client)
        assert (await fetch(client))[1] == b"hello"
        assert (provider.connections, provider.requests) == (2, 3)


async def test_retry_happens_once() -> None:
    """The new connection's end is the caller's to see, with other kept ones left alone."""

    async def both_stale(peer: Peer) -> None:
        await peer.head()
        await until(lambda: provider.requests == 2)
        peer.send(OK)
        await peer.head()

    async with serving(both_stale, both_stale, closes_after(b"")) as provider:
        client = provider.upstream()
        await asyncio.gather(fetch(client), fetch(client))
        assert repr(client) == shown(client, 2)
        with pytest.raises(ConnectionLost):
            await client.send(GET, b"")
        assert (provider.connections, provider.requests) == (3, 4)
        assert repr(client) == shown(client, 1)


async def test_new_connection_is_not_retried() -> None:
    """Only a kept connection may have been closed before the request reached it."""
    async with serving(closes_after(b"")) as provider:
        with pytest.raises(ConnectionLost):
            await provider.upstream().send(GET, b"")
        assert provider.connections == 1


@pytest.mark.parametrize("begun", [b"H", b"HTTP/1.1 100 Continue\r\n\r\n"])
async def test_no_retry_once_the_answer_began(begun: bytes) -> None:
    """One byte of an answer shows that the request was received: it is not sent again."""
    async with serving(closes_after(OK, begun)) as provider:
        client = provider.upstream()
        await fetch(client)
        with pytest.raises(ConnectionLost):
            await client.send(GET, b"")
        assert provider.connections == 1


async def test_timeouts_are_not_retried() -> None:
    """A provider that does not answer on a kept connection is not asked again."""
    async with serving(answers(OK, b"")) as provider:
        client = provider.upstream(first_byte=0.3)
        await fetch(client)
        with pytest.raises(TimedOut):
            await client.send(GET, b"")
        assert provider.connections == 1


async def test_closed_connections_are_not_kept() -> None:
    """A kept connection that the provider closes is forgotten before anybody asks for it."""
    async with serving(closes_after(OK)) as provider:
        client = provider.upstream()
        await fetch(client)
        await until(lambda: repr(client) == shown(client, 0))
        assert provider.connections == 1


async def test_unasked_bytes_close_a_kept_connection() -> None:
    """What comes while nothing was asked must not become the answer to the next request."""

    async def script(peer: Peer) -> None:
        await peer.head()
        peer.send(OK)
        await until(lambda: repr(client) == shown(client, 1))
        peer.send(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
        await peer.wait_closed()

    async with serving(script, answers(OK)) as provider:
        client = provider.upstream()
        await fetch(client)
        await provider.wait_closed()
        assert repr(client) == shown(client, 0)
        response, _ = await fetch(client)
        assert response.status == 200


async def test_kept_connections_expire() -> None:
    """A connection that waits too long is closed before the provider might do it."""
    async with serving(answers(OK)) as provider:
        client = provider.upstream(kept_for=0.02)
        started = time.monotonic()
        await fetch(client)
        await provider.wait_closed()
        assert time.monotonic() - started > 0.015
        await until(lambda: repr(client) == shown(client, 0))


async def at_once(client: Upstream, provider: RawProvider, count: int) -> None:
    """So many exchanges at a time, none of which ends before all have begun."""
    begun = provider.requests
    responses = await asyncio.gather(*(client.send(GET, b"") for _ in range(count)))
    assert provider.requests == begun + count
    for response in responses:
        await relay(response, Body())


async def test_the_last_one_kept_is_the_first_one_used() -> None:
    """Connections that are not needed any more get old, and those in use stay young."""
    async with serving(answers(OK, OK, OK)) as provider:
        client = provider.upstream()
        await at_once(client, provider, 2)
        first, last = await client.send(GET, b""), await client.send(GET, b"")
        await relay(last, Body())
        await relay(first, Body())
        before = [peer.requests for peer in provider.peers]
        await fetch(client)
        assert [peer.requests for peer in provider.peers] == [before[0], before[1] + 1]


async def test_no_more_than_so_many_are_kept() -> None:
    """What is over the limit is closed when its answer ends."""
    async with serving(answers(OK)) as provider:
        client = provider.upstream(max_kept=2)
        await at_once(client, provider, 3)
        assert repr(client) == shown(client, 2)


async def test_close_spares_what_is_under_way() -> None:
    """Closing ends the connections that wait; an answer under way ends as it would have."""
    async with serving(answers(OK, OK)) as provider:
        client = provider.upstream()
        await at_once(client, provider, 2)
        response = await client.send(GET, b"")
        await client.close()
        assert repr(client) == shown(client, 0)
        body = Body()
        await relay(response, body)
        assert body.data == b"hello"
        await provider.wait_closed()


async def test_connection_refused() -> None:
    """The error names address and reason."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        client = Upstream(f"http://127.0.0.1:{port}/v1", Timeouts())
        with pytest.raises(ConnectFailed, match=rf"^127\.0\.0\.1:{port}: .*[Cc]onne"):
            await client.send(GET, b"")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_no_file_left(host: str) -> None:
    """That is not the provider's fault, though resolvers then say that nobody has its name."""
    client = Upstream(f"http://{host}:9", Timeouts())
    with no_more_files(), pytest.raises(NoConnection):
        await client.send(GET, b"")
    with pytest.raises(ConnectFailed):
        await client.send(GET, b"")


async def test_connecting_takes_too_long() -> None:
    """The connect timeout covers a TCP handshake that nobody answers."""
    with unanswered() as port:
        limits = Timeouts(connect=Duration(0.05))
        client = Upstream(f"http://127.0.0.1:{port}", limits)
        with pytest.raises(TimedOut, match=r"not connected within 0\.05 s"):
            await client.send(GET, b"")


async def test_exchange_after_exchange_within_a_read() -> None:
    """The read that ends one exchange may begin the next, and that on the same connection."""
    bodies: list[bytes] = []
    ends: list[BaseException | None] = []
    heads = 0

    def has_begun(number: int) -> bool:
        return heads == number

    async def in_two_parts(peer: Peer) -> None:
        for number in range(1, 4):
            await peer.head()
            peer.send(CHUNKED[:-5])
            await until(partial(has_begun, number))
            peer.send(CHUNKED[-5:])
        await peer.wait_closed()

    async def work() -> None:
        nonlocal heads
        for _ in range(3):
            response = await client.send(GET, b"")
            heads += 1
            body = Body()
            await relay(response, body)
            bodies.append(body.data)

    async with serving(in_two_parts) as provider:
        client = provider.upstream()
        Driver(ends.append).run(work())
        await until(lambda: bool(ends))
        assert (ends, bodies) == ([None], [b"hello"] * 3)
        assert (provider.connections, repr(client)) == (1, shown(client, 1))


async def test_retry_within_the_end_of_a_connection() -> None:
    """An exchange goes on to a new connection from where it hears that its own is stale."""
    answered: list[bytes] = []
    ends: list[BaseException | None] = []

    async def work() -> None:
        answered.extend([(await fetch(client))[1] for _ in range(2)])

    async with serving(stale, answers(OK)) as provider:
        client = provider.upstream()
        Driver(ends.append).run(work())
        await until(lambda: bool(ends))
        assert (ends, answered) == ([None], [b"hello"] * 2)
        assert (provider.connections, provider.requests) == (2, 3)


@pytest.mark.parametrize("driven", [False, True], ids=["in a task", "driven"])
async def test_cancelled_when_just_connected(driven: bool) -> None:
    """A connection that comes about as its request is given up is closed."""
    ends: list[BaseException | None] = []
    driver = Driver(ends.append)

    async def send() -> None:
        await client.send(GET, b"")

    async with serving(answers(OK)) as provider:
        client = provider.upstream()
        before = asyncio.all_tasks()
        sending = asyncio.create_task(send()) if not driven else None
        if driven:
            driver.run(send())
        else:
            await asyncio.sleep(0)
        [opening] = asyncio.all_tasks() - before - {sending}
        while not opening.done():
            await asyncio.sleep(0)
        if sending is not None:
            sending.cancel()
            ends += await asyncio.gather(sending, return_exceptions=True)
        else:
            driver.cancel()
        assert [type(end) for end in ends] == [asyncio.CancelledError]
        await until(lambda: provider.connections == 1)
        await provider.wait_closed()
        assert provider.requests == 0


def test_connections_that_are_reset_at_once() -> None:
    """Whenever the reset is seen, before the request goes out too, it is a provider's failure."""

    async def fetch_many(port: int) -> None:
        client = Upstream(f"http://127.0.0.1:{port}", Timeouts())
        for _ in range(300):
            with pytest.raises((ConnectFailed, ConnectionLost)):
                await client.send(GET, b"")

    with resetting() as port:
        uvloop.run(fetch_many(port))
