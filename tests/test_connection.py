"""One exchange on one connection: what is handed over, when, and what every other ending raises."""

import asyncio
from collections.abc import Callable

import pytest

from gateway.errors import ConnectionLost, ProtocolError, TimedOut
from tests.parts.exchanges import GET, Body, fetch, relay
from tests.parts.raw_provider import OK, Peer, answers, closes_after, serving
from tests.parts.waiting import until

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
ENDLESS = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
MEBIBYTE = b"a" * (1 << 20)


async def test_request_goes_out_as_it_is() -> None:
    """Head and body reach the provider byte by byte, also when they are too large to be joined."""
    got: list[bytes] = []

    async def script(peer: Peer) -> None:
        for body in (b"small", MEBIBYTE * 8):
            got.append(await peer.head())
            got.append(await peer.read(len(body)))
            peer.send(OK)
        await peer.wait_closed()

    async with serving(script) as provider:
        upstream = provider.upstream()
        await fetch(upstream, b"POST /1 HTTP/1.1\r\n\r\n", b"small")
        await fetch(upstream, b"POST /2 HTTP/1.1\r\n\r\n", MEBIBYTE * 8)
    assert got == [
        b"POST /1 HTTP/1.1\r\n\r\n",
        b"small",
        b"POST /2 HTTP/1.1\r\n\r\n",
        MEBIBYTE * 8,
    ]


async def test_whole_answer_is_handed_over_in_one_piece() -> None:
    """A body that came together with its head reaches the sink at once, as the last piece."""
    async with serving(answers(OK)) as provider:
        response = await provider.upstream().send(GET, b"")
        assert (response.status, response.length) == (200, 5)
        assert response.headers == [(b"Content-Length", b"5")]
        body = Body()
        await relay(response, body)
    assert (body.pieces, body.ends) == ([b"hello"], 1)


async def test_empty_answer_ends_with_an_empty_piece() -> None:
    """No body at all is one empty last piece."""
    async with serving(answers(b"HTTP/1.1 204 No Content\r\n\r\n")) as provider:
        response = await provider.upstream().send(GET, b"")
        body = Body()
        await relay(response, body)
    assert (body.pieces, body.ends) == ([b""], 1)


async def test_chunks_are_handed_over_as_they_come() -> None:
    """A piece is passed on before the next one was even sent; one read is one call of the sink."""
    body = Body()

    async def script(peer: Peer) -> None:
        await peer.head()
        peer.send(CHUNKED)
        for count in (1, 2, 3):
            peer.send(b"3\r\none\r\n3\r\ntwo\r\n")
            await until(lambda count=count: len(body.pieces) == count)  # type: ignore[misc]
        peer.send(b"0\r\n\r\n")
        await peer.wait_closed()

    async with serving(script) as provider:
        response = await provider.upstream().send(GET, b"")
        assert response.length is None
        await relay(response, body)
    assert body.pieces == [b"onetwo", b"onetwo", b"onetwo", b""]
    assert body.ends == 1


async def test_body_lasts_until_the_connection_ends() -> None:
    """Without length and chunks, the end of the connection is the end of the answer."""
    async with serving(closes_after(b"HTTP/1.1 200 OK\r\n\r\nhello")) as provider:
        response, data = await fetch(provider.upstream())
    assert (response.length, data) == (None, b"hello")


@pytest.mark.parametrize("interim", [b"100 Continue", b"103 Early Hints", b"102 Processing"])
async def test_interim_answers_are_skipped(interim: bytes) -> None:
    """A 1xx answer is not the answer; the one after it is."""
    async with serving(answers(b"HTTP/1.1 %b\r\nX: y\r\n\r\n" % interim + OK)) as provider:
        response, data = await fetch(provider.upstream())
    assert (response.status, response.headers, data) == (200, [(b"Content-Length", b"5")], b"hello")


async def test_answer_to_head_has_no_body() -> None:
    """The length of an answer to HEAD is the one its body would have."""
    async with serving(answers(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")) as provider:
        response, data = await fetch(provider.upstream(), b"HEAD / HTTP/1.1\r\n\r\n")
    assert (response.length, data) == (5, b"")


@pytest.mark.parametrize(
    "cut",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
        CHUNKED + b"5\r\nhello\r\n",
        CHUNKED + b"5\r\nhello\r\n0\r\n",
        CHUNKED + b"a\r\nhello",
    ],
    ids=["length", "no last chunk", "half a last chunk", "half a chunk"],
)
@pytest.mark.parametrize("end", [Peer.close, Peer.reset])
async def test_cut_answer_is_lost(cut: bytes, end: Callable[[Peer], None]) -> None:
    """An answer that ends early is an error, after every byte that came and without an end."""
    body = Body()

    async def script(peer: Peer) -> None:
        await peer.head()
        peer.send(cut)
        await until(lambda: body.data == b"hello")
        end(peer)

    async with serving(script) as provider:
        response = await provider.upstream().send(GET, b"")
        with pytest.raises(ConnectionLost, match=r"127\.0\.0\.1:\d+: the connection ended"):
            await relay(response, body)
    assert (body.data, body.ends) == (b"hello", 0)


async def test_answer_cut_before_it_is_relayed() -> None:
    """What came of an answer that is already lost is still handed over before the error."""
    async with serving(closes_after(ENDLESS + b"hello")) as provider:
        response = await provider.upstream().send(GET, b"")
        await provider.wait_closed()
        body = Body()
        with pytest.raises(ConnectionLost):
            await relay(response, body)
    assert (body.data, body.ends) == (b"hello", 0)


async def test_complete_answer_outlives_its_connection() -> None:
    """An answer that is here is whole, even if its connection is gone before it is relayed."""
    async with serving(closes_after(OK)) as provider:
        response = await provider.upstream().send(GET, b"")
        await provider.wait_closed()
        body = Body()
        await relay(response, body)
    assert (body.data, body.ends) == (b"hello", 1)


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 70_000 + b"\r\n\r\n",
    ],
    ids=["garbage", "two framings", "two lengths", "upgrade", "giant head"],
)
async def test_answer_that_is_not_http(answer: bytes) -> None:
    """It is refused before anybody sees a part of it, and its connection is closed."""
    async with serving(answers(answer)) as provider:
        with pytest.raises(ProtocolError):
            await provider.upstream().send(GET, b"")
        await provider.wait_closed()


async def test_answer_that_goes_wrong_half_way() -> None:
    """What came before the bytes went wrong is handed over, then the error is raised."""
    body = Body()

    async def script(peer: Peer) -> None:
        await peer.head()
        peer.send(CHUNKED)
        await until(lambda: relaying)
        peer.send(b"5\r\nhello\r\nwrong\r\n")
        await peer.wait_closed()

    relaying = False
    async with serving(script) as provider:
        response = await provider.upstream().send(GET, b"")
        relaying = True
        with pytest.raises(ProtocolError):
            await relay(response, body)
    assert (body.data, body.ends) == (b"hello", 0)


async def test_no_answer_in_time() -> None:
    """The first-byte timeout closes the connection; interim answers do not extend it."""
    async with serving(answers(b"HTTP/1.1 100 Continue\r\n\r\n")) as provider:
        with pytest.raises(TimedOut, match=r"no answer within 0\.05 s"):
            await provider.upstream(first_byte=0.05).send(GET, b"")
        await provider.wait_closed()


async def test_no_more_of_the_answer_in_time() -> None:
    """The idle timeout runs anew with every read, and closes the connection when it is over."""
    body = Body()
    loop = asyncio.get_running_loop()

    async def script(peer: Peer) -> None:
        await peer.head()
        peer.send(ENDLESS)
        for _ in range(20):
            await asyncio.sleep(0.06)  # together more than either of the two times
            peer.send(b"a")
        await peer.wait_closed()

    async with serving(script) as provider:
        started = loop.time()
        response = await provider.upstream(first_byte=0.9, idle=1).send(GET, b"")
        with pytest.raises(TimedOut, match=r"nothing more of the answer for 1 s"):
            await relay(response, body)
        assert loop.time() - started > 2
        await provider.wait_closed()
    assert body.data == b"a" * 20


async def test_cancelled_before_the_answer() -> None:
    """Who cancels a request closes its connection at once."""
    async with serving(answers(b"")) as provider:
        sending = asyncio.create_task(provider.upstream().send(GET, b""))
        await until(lambda: provider.requests == 1)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        await provider.wait_closed()


async def test_cancelled_in_the_middle_of_the_answer() -> None:
    """Who cancels a relay closes the connection at once, and gets no piece any more."""
    async with serving(answers(ENDLESS + b"hello")) as provider:
        body = Body()
        response = await provider.upstream().send(GET, b"")
        relaying = asyncio.create_task(relay(response, body))
        await until(lambda: body.data == b"hello")
        relaying.cancel()
        with pytest.raises(asyncio.CancelledError):
            await relaying
        await provider.wait_closed()
    assert body.ends == 0


async def test_cancelled_at_any_moment() -> None:
    """Between the request and the answer's head there is no turn of the loop that leaks."""
    async with serving(answers(ENDLESS)) as provider:
        upstream = provider.upstream()
        for turns in range(40):
            sending = asyncio.create_task(upstream.send(GET, b""))
            for _ in range(turns):
                await asyncio.sleep(0)
            if sending.cancel():
                with pytest.raises(asyncio.CancelledError):
                    await sending
            else:
                sending.result().close()
        await provider.wait_closed()


async def test_cancelled_after_the_last_piece() -> None:
    """A cancellation between the last piece and the relay's return spares the connection."""
    async with serving(answers(CHUNKED + b"5\r\nhello\r\n", OK)) as provider:
        upstream = provider.upstream()
        response = await upstream.send(GET, b"")

        def sink(data: bytes, end: bool) -> None:
            if end:
                asyncio.get_running_loop().call_soon(relaying.cancel)

        relaying = asyncio.create_task(relay(response, sink))
        await asyncio.sleep(0)
        provider.peers[0].send(b"0\r\n\r\n")
        with pytest.raises(asyncio.CancelledError):
            await relaying
        assert (await fetch(upstream))[1] == b"hello"
        assert provider.connections == 1


def broken_sink(data: bytes, end: bool) -> None:
    """One that takes nothing."""
    raise LookupError(data)


@pytest.mark.parametrize("answer", [OK, ENDLESS + b"hello"], ids=["at the end", "in the middle"])
async def test_sink_that_raises(answer: bytes) -> None:
    """What a sink raises comes out of the relay, and the connection is closed."""
    async with serving(answers(answer)) as provider:
        response = await provider.upstream().send(GET, b"")
        with pytest.raises(LookupError, match="hello"):
            await relay(response, broken_sink)
        await provider.wait_closed()


async def test_sink_that_raises_later() -> None:
    """It does not matter whether the piece came before the relay began or in the read callback."""
    async with serving(answers(ENDLESS)) as provider:
        response = await provider.upstream().send(GET, b"")
        relaying = asyncio.create_task(relay(response, broken_sink))
        await asyncio.sleep(0)
        provider.peers[0].send(b"later")
        with pytest.raises(LookupError, match="later"):
            await relaying
        await provider.wait_closed()


async def test_closed_in_the_middle() -> None:
    """A response that is not wanted closes its connection; a relay of it ends with an error."""
    async with serving(answers(ENDLESS)) as provider:
        response = await provider.upstream().send(GET, b"")
        relaying = asyncio.create_task(relay(response, Body()))
        await asyncio.sleep(0)
        response.close()
        with pytest.raises(ConnectionLost, match="closed before the answer ended"):
            await relaying
        await provider.wait_closed()
