"""Stopping: what is under way ends well if it can, and nothing that happened is forgotten."""

import asyncio
import time
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from gateway.app import GATEWAY, create_app
from gateway.config import Config
from gateway.server import running
from tests.parts.calls import CHAT, DONE, HELLO, STREAM, at, ends_at, never_end, read_request
from tests.parts.gateways import Wire, build_config
from tests.parts.raw_client import connected, post, until_refused
from tests.parts.raw_provider import Peer, serving
from tests.parts.recorded import outcomes
from tests.parts.waiting import PATIENCE, until


def configured(folder: Path, providers: list[dict[str, object]], wire: Wire, drain: str) -> Config:
    return build_config(folder, providers, server={"wire": wire, "drain": drain})


async def test_a_stream_under_way_finishes(tmp_path: Path, wire: Wire) -> None:
    """Within `drain` a stream ends as it would have, while new connections are refused."""
    stopping = asyncio.Event()
    async with serving(ends_at(stopping)) as provider:
        gateway = running(configured(tmp_path, [at(provider)], wire, "60s"))
        origin = await gateway.__aenter__()
        async with connected(origin) as client:
            client.send(post(STREAM))
            _, headers = await client.head()
            pieces = client.pieces(headers)
            assert await anext(pieces) == HELLO
            end = asyncio.ensure_future(gateway.__aexit__(None, None, None))
            await until_refused(origin)
            assert not end.done()
            stopping.set()
            assert [piece async for piece in pieces] == [DONE, b""]
            await asyncio.wait_for(end, PATIENCE)
    assert await outcomes(tmp_path) == ["ok"]


async def test_a_longer_stream_is_cut(tmp_path: Path, wire: Wire) -> None:
    """What does not end within `drain` is cut, settles as cancelled, and is in the store."""
    async with serving(never_end) as provider:
        gateway = running(configured(tmp_path, [at(provider)], wire, "100ms"))
        origin = await gateway.__aenter__()
        async with connected(origin) as client:
            client.send(post(STREAM))
            _, headers = await client.head()
            pieces = client.pieces(headers)
            assert await anext(pieces) == HELLO
            started = time.monotonic()
            await gateway.__aexit__(None, None, None)
            assert 0.09 < time.monotonic() - started < 10
            assert [piece async for piece in pieces] == []
    assert await outcomes(tmp_path) == ["cancelled"]


async def test_calls_of_both_edges_have_the_same_time(tmp_path: Path) -> None:
    """`drain` is for all calls at once: one on aiohttp has no more of it beside one on the fast
    edge, or a supervisor that waits for no longer would kill its worker before it settles."""
    cut_at: list[float] = []

    async def note_end(peer: Peer) -> None:
        await never_end(peer)
        cut_at.append(time.monotonic())

    async with serving(note_end) as provider:
        gateway = running(configured(tmp_path, [at(provider)], "fast", "1s"))
        origin = await gateway.__aenter__()
        async with connected(origin) as fast, connected(origin) as other:
            fast.send(post(STREAM))
            other.send(b"GET /v1/files HTTP/1.1\r\nHost: localhost\r\n\r\n")
            for client in (fast, other):
                await client.head()
            started = time.monotonic()
            await gateway.__aexit__(None, None, None)
    first, second = cut_at
    assert first - started > 0.99
    assert second - first < 0.9
    assert await outcomes(tmp_path) == ["cancelled"] * 2


async def test_waiting_connections_close(tmp_path: Path, wire: Wire) -> None:
    """Connections that wait for a request do not hold the end up."""
    config = configured(tmp_path, [{"name": "a", "base_url": "http://127.0.0.1:1"}], wire, "30s")
    gateway = running(config)
    origin = await gateway.__aenter__()
    async with connected(origin) as fresh, connected(origin) as used:
        assert (await used.ask(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")).status == 200
        started = time.monotonic()
        await gateway.__aexit__(None, None, None)
        assert time.monotonic() - started < 10
        assert await fresh.is_closed()
        assert await used.is_closed()


async def test_nobody_new_gets_in(tmp_path: Path, wire: Wire) -> None:
    """While a call is under way, no connection takes another: those that wait are closed, and so is
    its own when it has ended."""
    stopping = asyncio.Event()
    async with serving(ends_at(stopping)) as provider:
        gateway = running(configured(tmp_path, [at(provider)], wire, "30s"))
        origin = await gateway.__aenter__()
        async with connected(origin) as busy, connected(origin) as waiting:
            assert (await waiting.ask(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")).status == 200
            busy.send(post(STREAM))
            _, headers = await busy.head()
            pieces = busy.pieces(headers)
            assert await anext(pieces) == HELLO
            end = asyncio.ensure_future(gateway.__aexit__(None, None, None))
            assert await waiting.is_closed()
            assert not end.done()
            busy.send(post(STREAM))
            stopping.set()
            assert [piece async for piece in pieces] == [DONE, b""]
            assert await busy.is_closed()
            await asyncio.wait_for(end, PATIENCE)
    assert await outcomes(tmp_path) == ["ok"]


async def test_readiness(tmp_path: Path) -> None:
    """/readyz says 503 from the moment the end begins; /healthz stays well."""
    config = build_config(tmp_path, [{"name": "a", "base_url": "http://127.0.0.1:1"}])
    async with TestClient(TestServer(create_app(config))) as client:
        assert (await client.get("/readyz")).status == 200
        client.app[GATEWAY].draining = True
        answer = await client.get("/readyz")
        assert (answer.status, await answer.json()) == (503, {"status": "draining"})
        client.app[GATEWAY].retired_until = asyncio.Event()  # others take its place
        assert (await client.get("/readyz")).status == 200
        client.app[GATEWAY].retired_until = None
        assert (await client.get("/healthz")).status == 200


async def test_two_gateways_cannot_share_an_address(tmp_path: Path) -> None:
    """An address that is taken is an OSError, and the parts already built are let go."""
    providers = [{"name": "a", "base_url": "http://127.0.0.1:1"}]
    async with running(build_config(tmp_path, providers)) as origin:
        port = int(origin.rpartition(":")[2])
        second = build_config(tmp_path, providers, server={"port": port})
        with pytest.raises(OSError, match="address already in use"):
            async with running(second):
                pass


async def test_a_request_half_sent_may_end(tmp_path: Path) -> None:
    """A body that is on its way when the end begins is still taken and answered."""

    async def answer(peer: Peer) -> None:
        await read_request(peer)
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        await peer.wait_closed()

    async with serving(answer) as provider:
        gateway = running(configured(tmp_path, [at(provider)], "fast", "60s"))
        origin = await gateway.__aenter__()
        async with connected(origin) as client:
            request = post(CHAT)
            await client.send_slowly(request[:-5])
            end = asyncio.ensure_future(gateway.__aexit__(None, None, None))
            await client.send_slowly(b"", request[-5:])
            assert (await client.answer()).body == b"hi"
            client.close()
            await asyncio.wait_for(end, PATIENCE)
            await until(lambda: provider.requests == 1)
    assert await outcomes(tmp_path) == ["ok"]


async def test_a_question_half_asked_may_be_answered(tmp_path: Path, wire: Wire) -> None:
    """What Hearth answers itself has the same time to finish as a call."""
    nowhere: dict[str, object] = {"name": "a", "base_url": "http://127.0.0.1:1"}
    gateway = running(configured(tmp_path, [nowhere], wire, "60s"))
    origin = await gateway.__aenter__()
    async with connected(origin) as client:
        question = post(b"{}", "/v1/user/query")
        await client.send_slowly(question[:-1])
        end = asyncio.ensure_future(gateway.__aexit__(None, None, None))
        done, _ = await asyncio.wait([end], timeout=1.5)  # aiohttp by itself waits for a second
        assert not done
        await client.send_slowly(question[-1:])
        assert (await client.answer()).status == 200
        await asyncio.wait_for(end, PATIENCE)
