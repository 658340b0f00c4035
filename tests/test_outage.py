"""Providers that fall ill, are busy or come back, and what their users notice of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bench.ports import free_port
from gateway.mock.running import running_provider
from gateway.mock.settings import MockSettings
from gateway.units import Duration
from tests.parts.calls import (
    CHAT,
    COMPLETION,
    HELLO,
    STREAM,
    STREAM_HEAD,
    Requests,
    at,
    chunk,
    hang,
    read_request,
    whole,
)
from tests.parts.gateways import RunningGateway, Wire, running_gateway
from tests.parts.homes import USER_OF_A
from tests.parts.raw_client import RawAnswer, ask_once, connected, post
from tests.parts.raw_provider import Peer, RawProvider, Script, serving
from tests.parts.recorded import generations, read_json
from tests.parts.waiting import eventually, until

BODY = CHAT.replace(b"user_1", USER_OF_A)
WELL = whole(COMPLETION)


async def ask(gateway: RunningGateway, body: bytes = BODY, *fields: str) -> RawAnswer:
    return await ask_once(gateway.origin, post(body, "/v1/chat/completions", *fields))


async def went(gateway: RunningGateway, body: bytes = BODY, *fields: str) -> tuple[str, str]:
    """Where a call was answered, and its route."""
    answer = await ask(gateway, body, *fields)
    return answer.text("X-Hearth-Provider"), answer.text("X-Hearth-Route")


@asynccontextmanager
async def two(
    folder: Path, script: Script, wire: Wire = "fast", **settings: Any
) -> AsyncIterator[tuple[RunningGateway, RawProvider]]:
    """A gateway with provider `a`, which follows the script, and `b`, which is well; and `a`."""
    async with serving(script) as a, serving(Requests(WELL)) as b:
        providers = [at(a, "a", **settings), at(b, "b")]
        sticky = {"slow_start": "0s"}
        async with running_gateway(
            folder, providers, server={"wire": wire}, sticky=sticky
        ) as gateway:
            yield gateway, a


async def test_nobody_notices_that_a_provider_dies(tmp_path: Path, wire: Wire) -> None:
    """One of three is killed and comes back while 20 clients call: not one call fails."""
    settings = MockSettings(latency=Duration(0.002))
    async with (
        running_provider(settings) as b,
        running_provider(settings) as c,
        AsyncExitStack() as first_life,
    ):
        a = await first_life.enter_async_context(running_provider(settings, port=free_port()))
        origins = {"a": a.origin, "b": b.origin, "c": c.origin}
        providers = [
            {"name": name, "base_url": f"{origin}/v1", "ejection": {"time": "100ms"}}
            for name, origin in origins.items()
        ]
        sticky = {"slow_start": "100ms"}
        async with running_gateway(
            tmp_path, providers, server={"wire": wire}, sticky=sticky
        ) as gateway:
            stop = asyncio.Event()
            clients = [asyncio.create_task(_call_until(stop, gateway, n)) for n in range(20)]
            await until(lambda: len(a.seen) > 50)
            await first_life.aclose()
            port = int(a.origin.rpartition(":")[2])
            async with running_provider(settings, port=port) as again:
                await until(lambda: len(again.seen) > 50)
                stop.set()
                statuses = [status for each in await asyncio.gather(*clients) for status in each]
    assert set(statuses) == {200}


async def _call_until(stop: asyncio.Event, gateway: RunningGateway, number: int) -> list[int]:
    """The statuses of calls for changing users, one after the other on one connection."""
    statuses: list[int] = []
    async with connected(gateway.origin) as client:
        while not stop.is_set():
            client.send(post(CHAT.replace(b"user_1", b"user_%d" % (number + len(statuses)))))
            statuses.append((await client.answer()).status)
    return statuses


async def test_a_sick_provider_is_left_alone(tmp_path: Path, wire: Wire) -> None:
    """After five failures in a row it gets no more calls; each of them was answered elsewhere."""
    async with two(tmp_path, Requests(whole(b"{}", b"500 No")), wire) as (gateway, a):
        found = [await went(gateway) for _ in range(8)]
    assert found == [("b", "failover")] * 8
    assert a.requests == 5


async def test_answers_that_break_off_count(tmp_path: Path, wire: Wire) -> None:
    """A provider that dies in mid-stream, again and again, is left alone as well."""

    async def break_off(peer: Peer) -> None:
        await peer.head()
        peer.send(STREAM_HEAD + chunk(HELLO))

    stream = STREAM.replace(b"user_1", USER_OF_A)
    async with two(tmp_path, break_off, wire) as (gateway, a):
        answers = [await ask(gateway, stream) for _ in range(7)]
    assert [answer.complete for answer in answers] == [False] * 5 + [True] * 2
    assert a.requests == 5


@pytest.mark.parametrize("status", [b"400 Bad", b"413 Large", b"422 No", b"404 None"])
async def test_the_clients_own_faults_do_not_count(tmp_path: Path, status: bytes) -> None:
    """However many bad requests come, their provider stays in."""
    async with two(tmp_path, Requests(whole(b"{}", status))) as (gateway, a):
        found = [await went(gateway) for _ in range(8)]
    assert found == [("a", "home")] * 8
    assert a.requests == 8


async def test_clients_that_leave_do_not_count(tmp_path: Path, wire: Wire) -> None:
    """A provider is not blamed for calls that were given up."""

    async with two(tmp_path, hang, wire) as (gateway, a):
        for calls in range(1, 7):
            async with connected(gateway.origin) as client:
                client.send(post(BODY))
                await until(lambda: a.requests == calls)  # noqa: B023  # awaited in this turn
        await a.wait_closed()
        route = (await read_json(f"{gateway.api}/route?user={USER_OF_A.decode()}"))["data"]
    assert (route["provider"], route["route"]) == ("a", "home")


async def test_a_refused_key_is_the_providers_trouble(tmp_path: Path) -> None:
    """401 on the key that is configured sends the call on, and keeps it away after five."""
    refusal = Requests(whole(b"{}", b"401 No"))
    async with two(tmp_path, refusal, api_key="sk-old") as (gateway, a):
        assert [await went(gateway) for _ in range(6)] == [("b", "failover")] * 6
    assert a.requests == 5


async def test_retry_after_is_heeded(tmp_path: Path, wire: Wire) -> None:
    """A busy provider gets no calls for as long as it asks, and then its users are home again."""
    answers = iter([whole(b"{}", b"429 Busy", b"Retry-After: 1"), WELL])

    async def busy_at_first(peer: Peer) -> None:
        while True:
            await read_request(peer)
            peer.send(next(answers))

    ejection = {"time": "50ms", "max_time": "1s"}
    async with two(tmp_path, busy_at_first, wire, api_key="sk", ejection=ejection) as (gateway, a):
        assert [await went(gateway) for _ in range(3)] == [("b", "failover")] * 3
        assert a.requests == 1

        async def is_back() -> bool:
            return await went(gateway) == ("a", "home")

        await eventually(is_back)


async def test_a_model_that_is_gone_is_asked_for_elsewhere(tmp_path: Path) -> None:
    """404 for a model that the provider is configured to serve sends every such call on, and its
    others stay."""
    gone = Requests(whole(b"{}", b"404 Gone"))
    async with two(tmp_path, gone, models=["gpt-4o-mini"]) as (gateway, a):
        assert [await went(gateway) for _ in range(8)] == [("b", "failover")] * 8
        assert a.requests == 8


async def test_the_next_model_is_asked_for(tmp_path: Path, wire: Wire) -> None:
    """When nobody answers for the first of `models`, the second is asked for by its own name."""
    sick, well = Requests(whole(b"{}", b"503 Down")), Requests(WELL)
    body = b'{"models":["large",' + BODY.replace(b'{"model":', b"").replace(b",", b"],", 1)
    async with serving(sick) as a, serving(well) as b:
        providers = [
            at(a, "a", models=["large"]),
            at(b, "b", models=[{"name": "gpt-4o-mini", "upstream": "mini"}]),
        ]
        async with running_gateway(tmp_path, providers, server={"wire": wire}) as gateway:
            assert await went(gateway, body) == ("b", "failover")
            [record] = await generations(gateway)
    [(_, first)], [(_, second)] = sick.seen, well.seen
    assert [msgspec.json.decode(sent)["model"] for sent in (first, second)] == ["large", "mini"]
    assert all("models" not in msgspec.json.decode(sent) for sent in (first, second))
    assert record["model"] == "gpt-4o-mini"


async def test_preferences_of_the_client(tmp_path: Path, wire: Wire) -> None:
    """`provider` decides where the call goes, by route `pinned`, and is not sent on."""
    well = Requests(WELL)
    async with two(tmp_path, well, wire) as (gateway, a):
        pinned = b'{"provider":{"order":["b"]},' + BODY[1:]
        assert await went(gateway, pinned) == ("b", "pinned")
        kept = b'{"provider":{"ignore":["b"]},' + BODY[1:]
        assert await went(gateway, kept) == ("a", "home")
        nowhere = b'{"provider":{"only":["z"]},' + BODY[1:]
        assert (await ask(gateway, nowhere)).status == 404
        promised = b'{"provider":{"zdr":true},' + BODY[1:]
        assert (await ask(gateway, promised)).status == 400
        assert a.requests == 1
    [(_, sent)] = well.seen
    assert sent == BODY


async def test_affinity_off(tmp_path: Path, wire: Wire) -> None:
    """Such calls are spread like those of nobody, though they name their user."""
    async with two(tmp_path, Requests(WELL), wire) as (gateway, _):
        found = [await went(gateway, BODY, "X-Hearth-Affinity: off") for _ in range(4)]
    assert sorted(found) == [("a", "unkeyed")] * 2 + [("b", "unkeyed")] * 2
