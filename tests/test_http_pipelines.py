"""Good and bad requests behind each other on one connection, as a smuggler would send them.

Each is judged by itself, however the reads fall, and both edges say and forward the same.
"""

import asyncio
from pathlib import Path

import pytest

from gateway.wire.limits import Limits
from tests.parts.calls import read_request, whole
from tests.parts.gateways import Wire
from tests.parts.http_world import (
    BODY,
    CHAT_LINE,
    CHUNKED,
    CHUNKED_BODY,
    HOST,
    LENGTH,
    World,
    world,
)
from tests.parts.raw_client import RawAnswer, post
from tests.parts.raw_provider import Peer

GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
HIDDEN = post(BODY, "/v1/embeddings")
CHUNKS = CHAT_LINE + HOST + CHUNKED + b"\r\n" + CHUNKED_BODY
PATIENT = Limits(linger=5)

BAD_HEADS = {
    "a length twice": CHAT_LINE + HOST + LENGTH * 2 + b"\r\n" + HIDDEN,
    "TE.CL": CHAT_LINE + HOST + CHUNKED + LENGTH + b"\r\n" + b"0\r\n\r\n" + HIDDEN,
    "CL.TE": CHAT_LINE + HOST + LENGTH + CHUNKED + b"\r\n" + b"0\r\n\r\n" + HIDDEN,
    "an unknown coding": CHAT_LINE + HOST + b"Transfer-Encoding: ?hunked\r\n\r\n" + HIDDEN,
    "no host": CHAT_LINE + LENGTH + b"\r\n" + BODY + HIDDEN,
    "a bare CR": CHAT_LINE + HOST + b"X: a\rb\r\n" + LENGTH + b"\r\n" + BODY + HIDDEN,
    "a folded line": CHAT_LINE + HOST + LENGTH + b"X: a\r\n b\r\n\r\n" + BODY + HIDDEN,
    "bytes left over": b'"}' + HIDDEN,
}
BAD_CHUNKS = {
    "no size": b"x\r\n",
    "too short": b"5\r\n" + BODY + b"\r\n0\r\n\r\n",
    "a bare CR behind the size": b"17\rx" + BODY,
    "a size that overflows": b"ffffffffffffffff1\r\n",
}


async def answers(here: World) -> list[RawAnswer]:
    """All that come until one says that it is the last; then the connection ends."""
    found = [await here.client.answer()]
    while found[-1].values(b"connection") != [b"close"]:
        found.append(await here.client.answer())
    assert await here.client.is_closed()
    return found


@pytest.mark.parametrize("good", [post(BODY), CHUNKS], ids=["hot", "chunks"])
@pytest.mark.parametrize("bad", BAD_HEADS.values(), ids=BAD_HEADS)
async def test_a_bad_head_behind_a_good_request(
    tmp_path: Path, wire: Wire, good: bytes, bad: bytes
) -> None:
    """The good one is answered, in the same read too, the bad one refused, the rest unheard."""
    async with world(tmp_path, wire) as here:
        here.client.send(good + bad)
        assert [each.status for each in await answers(here)] == [200, 400]
        assert [body for _, body in here.seen] == [BODY]


@pytest.mark.parametrize("bad", BAD_CHUNKS.values(), ids=BAD_CHUNKS)
@pytest.mark.parametrize("apart", [False, True], ids=["one read", "a later read"])
async def test_a_bad_body_behind_a_good_request(
    tmp_path: Path, wire: Wire, bad: bytes, apart: bool
) -> None:
    """It is refused when the fault comes, not when patience ends; and once."""
    async with world(tmp_path, wire) as here:
        begun = post(BODY) + CHAT_LINE + HOST + CHUNKED + b"\r\n"
        if apart:
            await here.client.send_slowly(begun, bad + GET)
        else:
            here.client.send(begun + bad + GET)
        assert [each.status for each in await answers(here)] == [200, 400]
        assert [body for _, body in here.seen] == [BODY]


async def test_a_fault_right_behind_a_chunk(tmp_path: Path, wire: Wire) -> None:
    """What came of a body that breaks off is not taken for all of it."""
    async with world(tmp_path, wire) as here:
        begun = CHAT_LINE + HOST + CHUNKED + b"\r\n" + b"%x\r\n" % len(BODY) + BODY
        await here.client.send_slowly(begun, b"\r\n\nX: y\r\n\r\n" + GET)
        assert [each.status for each in await answers(here)] == [400]
        assert here.provider.connections == 0


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_trailers_behind_good_requests(tmp_path: Path, wire: Wire, size: int) -> None:
    """All that came before is answered, and the request with trailers is the last one."""
    trailed = CHUNKS.removesuffix(b"\r\n") + b"X: y\r\n\r\n"
    data = GET + CHUNKS + trailed + HIDDEN
    async with world(tmp_path, wire) as here:
        await here.client.send_slowly(*(data[at : at + size] for at in range(0, len(data), size)))
        assert [each.status for each in await answers(here)] == [200, 200, 200]
        assert [body for _, body in here.seen] == [BODY, BODY]


async def test_nothing_follows_a_close(tmp_path: Path, wire: Wire) -> None:
    """What comes behind `Connection: close` is not heard, and does not spoil the answer."""
    async with world(tmp_path, wire) as here:
        here.client.send(GET + CHUNKS.replace(CHUNKED, CHUNKED + b"Connection: close\r\n") + HIDDEN)
        assert [each.status for each in await answers(here)] == [200, 200]
        assert [body for _, body in here.seen] == [BODY]


async def test_nothing_follows_a_cut(tmp_path: Path, wire: Wire) -> None:
    """A request behind an answer that breaks off is not heard."""

    async def break_off(peer: Peer) -> None:
        await read_request(peer)
        peer.send(whole(BODY)[:-1])

    async with world(tmp_path, wire, break_off) as here:
        answer = await here.client.ask(post(BODY) + HIDDEN)
        assert (answer.status, answer.complete) == (200, False)
        assert await here.client.is_closed()
        assert here.provider.requests == 1


async def test_thousands_that_are_refused_at_once(tmp_path: Path, wire: Wire) -> None:
    """However many come in one read, each is answered after the one before it, not within it."""
    count = 3000
    async with world(tmp_path, wire) as here:
        here.client.send(post(b"no json") * count + post(BODY))
        for _ in range(count):
            assert (await here.client.answer()).status == 400
        assert (await here.client.answer()).status == 200
        assert [body for _, body in here.seen] == [BODY]


async def test_more_than_aiohttp_queues(tmp_path: Path, wire: Wire) -> None:
    """A hundred requests in one read are answered, and what is wrong behind them refused."""
    async with world(tmp_path, wire) as here:
        here.client.send(GET * 100 + BAD_HEADS["TE.CL"])
        assert [each.status for each in await answers(here)] == [*[200] * 100, 400]
        assert here.provider.connections == 0


@pytest.mark.parametrize(
    "refused", [b"NONSENSE\r\n\r\n", b"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n", BAD_HEADS["TE.CL"]]
)
async def test_who_still_sends_can_read_the_refusal(
    tmp_path: Path, wire: Wire, refused: bytes
) -> None:
    """A reset would destroy it in the client's hands (RFC 9112 section 9.6)."""
    async with world(tmp_path, wire, limits=PATIENT) as here:
        here.client.send(refused)
        for _ in range(5):
            await here.client.send_slowly(b"a" * 100, b"b" * 100)
        assert (await here.client.answer()).status >= 400
        assert await here.client.rest() == b""


async def test_a_slow_reader_of_the_last_answer(tmp_path: Path, wire: Wire) -> None:
    """Lingering is for what the client still sends; what it still reads has its own time."""
    size = 8_000_000

    async def answer(peer: Peer) -> None:
        await read_request(peer)
        peer.send(whole(b"a" * size))

    async with world(tmp_path, wire, answer, limits=Limits(linger=0.05)) as here:
        here.client.send(post(BODY, "/v1/files", "Connection: close"))
        await asyncio.sleep(0.3)  # several lingers, with most of the answer on its way
        assert len((await here.client.answer()).body) == size


@pytest.mark.parametrize("protocol", [b"h2c", b"websocket", b"TLS/1.3"])
@pytest.mark.parametrize("framed", [LENGTH + b"\r\n" + BODY, CHUNKED + b"\r\n" + CHUNKED_BODY])
async def test_a_declined_upgrade(
    tmp_path: Path, wire: Wire, protocol: bytes, framed: bytes
) -> None:
    """It is a request like others, as Java's client sends them, but the last one."""
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: " + protocol + b"\r\n"
    request = CHAT_LINE + HOST + upgrade + framed
    async with world(tmp_path, wire) as here:
        await here.client.send_slowly(request[:-30], request[-30:], HIDDEN)
        assert [each.status for each in await answers(here)] == [200]
        assert [body for _, body in here.seen] == [BODY]
