"""Workers agree where each user goes, while providers are busy, die and come back."""

import asyncio
import itertools
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from bench.ports import free_port
from tests.parts.calls import CHAT, COMPLETION, Requests, at, read_request, whole
from tests.parts.commands import Running, running_hearth
from tests.parts.gateways import Wire
from tests.parts.homes import users_of
from tests.parts.metrics import metric
from tests.parts.raw_client import RawAnswer, connected, post
from tests.parts.raw_provider import Peer, Script, serving
from tests.parts.served import Served, is_at, provider_of, served
from tests.parts.waiting import PATIENCE, eventually, until

pytestmark = pytest.mark.heavy

USERS_OF_A = users_of("a", among=30)
NAMES = ("a", "b", "c")
CLIENTS = 20
CROWD = 60


async def went(gateway: Served, user: bytes, only: str | None = None) -> str:
    """The provider of a call on a connection of its own, and so of any worker."""
    body = CHAT.replace(b"user_1", user)
    if only is not None:
        body = b'{"provider":{"only":["%b"]},' % only.encode() + body[1:]
    return await provider_of(gateway, body)


def at_first(count: int, answer: bytes) -> Script:
    """A script that gives `answer` to so many requests of all, and is well afterwards."""
    asked = Counter[str]()

    async def play(peer: Peer) -> None:
        while True:
            await read_request(peer)
            asked["requests"] += 1
            peer.send(answer if asked["requests"] <= count else whole(COMPLETION))

    return play


async def test_a_pause_is_known_to_all(tmp_path: Path) -> None:
    """`Retry-After` to one worker is heeded by the others, and by those that take their places."""
    busy, well = whole(b"{}", b"429 Busy", b"Retry-After: 60"), Requests(whole(COMPLETION))
    async with serving(at_first(1, busy)) as a, serving(well) as b:
        providers = [at(a, "a", api_key="sk"), at(b, "b")]
        async with served(tmp_path, providers, server={"workers": 2}) as gateway:
            assert await went(gateway, USERS_OF_A[0]) == "b"
            await eventually(lambda: is_at(gateway, USERS_OF_A[0], "b"))
            assert {await went(gateway, user) for user in USERS_OF_A} == {"b"}
            old = gateway.workers()
            os.kill(gateway.pid, signal.SIGHUP)
            await gateway.until_workers(2, without=old)
            assert {await went(gateway, user) for user in USERS_OF_A} == {"b"}
    assert a.requests == 1


async def test_users_come_home_once(tmp_path: Path) -> None:
    """Over the slow start each user moves back once, whichever worker their calls come to."""
    sick = at_first(5, whole(b"{}", b"500 No"))
    async with serving(sick) as a, serving(Requests(whole(COMPLETION))) as b:
        providers = [at(a, "a", ejection={"time": "1500ms"}), at(b, "b")]
        async with served(tmp_path, providers, server={"workers": 2}) as gateway:
            async with connected(gateway.url) as client:
                for _ in range(5):
                    client.send(post(CHAT.replace(b"user_1", USERS_OF_A[0])))
                    assert (await client.answer()).status == 200
            await eventually(lambda: is_at(gateway, USERS_OF_A[0], "b"))
            rounds = [dict.fromkeys(USERS_OF_A, "b")]
            async with asyncio.timeout(PATIENCE):
                while set(rounds[-1].values()) != {"a"}:
                    rounds.append({user: await went(gateway, user) for user in USERS_OF_A})
    ways = ["".join(each[user] for each in rounds) for user in USERS_OF_A]
    assert all(way == "".join(sorted(way, reverse=True)) for way in ways)
    assert sum(set(each.values()) == {"a", "b"} for each in rounds) > 2


async def test_a_move_is_counted_once(tmp_path: Path) -> None:
    """A worker knows of a user's last call by another one, and by one that it took the place of."""
    well = Requests(whole(COMPLETION))
    async with serving(well) as a, serving(well) as b:
        providers = [at(a, "a"), at(b, "b")]
        async with served(
            tmp_path, providers, server={"workers": 2}, metrics={"public": True}
        ) as gateway:
            for name, moves in (("a", 0), ("b", CROWD), ("a", 2 * CROWD)):
                for number in range(CROWD):
                    assert await went(gateway, b"user_%d" % number, only=name) == name
                await eventually(partial(_has_counted, gateway, moves))
            old = gateway.workers()
            os.kill(gateway.pid, signal.SIGHUP)
            await gateway.until_workers(2, without=old)
            for number in range(CROWD):
                assert await went(gateway, b"user_%d" % number, only="b") == "b"
            await eventually(partial(_has_counted, gateway, 3 * CROWD))


async def _has_counted(gateway: Served, moves: int) -> bool:
    return await metric(gateway.url, "hearth_moves_total") == moves


@asynccontextmanager
async def mock_provider(name: str, port: int) -> AsyncIterator[tuple[Running, int]]:
    """A provider in a process of its own, and its port, at which it may come back."""
    arguments = ("mock-provider", "--name", name, "--latency", "20ms", "--port", str(port))
    async with running_hearth(*arguments) as running:
        url = (await running.says("listens on")).split()[-1]
        yield running, int(url.rpartition(":")[2].removesuffix("/v1"))


async def test_a_provider_is_killed(tmp_path: Path, wire: Wire) -> None:
    """Of three real ones, one is killed under load and comes back: no client sees more of it than
    that the answers break off which it was just sending."""
    async with AsyncExitStack() as stack:
        starting = (stack.enter_async_context(mock_provider(name, free_port())) for name in NAMES)
        mocks = dict(zip(NAMES, await asyncio.gather(*starting), strict=True))
        providers = [
            {
                "name": name,
                "base_url": f"http://127.0.0.1:{port}/v1",
                "ejection": {"time": "200ms"},
            }
            for name, (_, port) in mocks.items()
        ]
        gateway = await stack.enter_async_context(
            served(tmp_path, providers, server={"workers": 2, "wire": wire})
        )
        found: list[RawAnswer] = []
        stop = asyncio.Event()
        clients = [asyncio.create_task(_call_until(stop, gateway, found)) for _ in range(CLIENTS)]
        await until(lambda: _has_answered(found, "a", "home"))
        victim, port = mocks["a"]
        victim.process.kill()
        await until(lambda: _has_answered(found, "b", "failover"))
        await until(lambda: _has_answered(found, "c", "failover"))
        await stack.enter_async_context(mock_provider("a", port))
        before = len(found)
        await until(lambda: _has_answered(found[before:], "a", "home"))
        stop.set()
        await asyncio.gather(*clients)
    cut = [one for one in found if not one.complete]
    assert {one.text("X-Hearth-Provider") for one in cut} <= {"a"}
    assert len(cut) <= CLIENTS


def _has_answered(found: list[RawAnswer], provider: str, route: str) -> bool:
    return any(
        (one.text("X-Hearth-Provider"), one.text("X-Hearth-Route")) == (provider, route)
        for one in found
    )


async def _call_until(stop: asyncio.Event, gateway: Served, found: list[RawAnswer]) -> None:
    """Call after call for changing users, on a new connection when an answer broke off."""
    numbers = itertools.count()
    while not stop.is_set():
        async with connected(gateway.url) as client:
            answer = None
            while not stop.is_set() and (answer is None or answer.complete):
                user = b"user_%d" % (next(numbers) % 60)
                answer = await client.ask(post(CHAT.replace(b"user_1", user)))
                assert answer.status == 200, answer.body
                found.append(answer)
