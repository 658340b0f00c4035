"""What the workers of one gateway know of each other, and what they count together."""

import asyncio
import os
import signal
from pathlib import Path

from tests.parts.calls import (
    CHAT,
    COMPLETION,
    DONE,
    HELLO,
    STREAM,
    Requests,
    at,
    ends_at,
    never_end,
    whole,
)
from tests.parts.homes import USER_OF_A
from tests.parts.metrics import metric
from tests.parts.raw_client import connected, post, until_refused
from tests.parts.raw_provider import serving
from tests.parts.recorded import read_json
from tests.parts.served import is_at, provider_of, served, url_of_route
from tests.parts.waiting import PATIENCE, eventually, until

METRICS = {"public": True}


async def test_one_probe_for_all(tmp_path: Path) -> None:
    """With three workers a provider is asked once an interval, and all of them see it down."""
    sick, well = Requests(whole(b"{}", b"503 Down")), Requests(whole(COMPLETION))
    async with serving(sick) as a, serving(well) as b:
        providers = [at(a, "a", health={"path": "/health", "interval": "150ms"}), at(b, "b")]
        async with served(tmp_path, providers, server={"workers": 3}) as gateway:
            await until(lambda: len(sick.seen) >= 4)  # the second answer has been told by then
            started = asyncio.get_running_loop().time()
            before = len(sick.seen)
            body = CHAT.replace(b"user_1", USER_OF_A)
            assert {await provider_of(gateway, body) for _ in range(20)} == {"b"}
            await until(lambda: len(sick.seen) >= before + 4)
            assert asyncio.get_running_loop().time() - started > 0.4
    assert all(head.startswith(b"GET ") for head, _ in sick.seen)


async def test_an_ejection_is_known_to_all(tmp_path: Path) -> None:
    """Five failures in one worker keep the users of every worker away, as the API says."""
    sick, well = Requests(whole(b"{}", b"500 No")), Requests(whole(COMPLETION))
    body = CHAT.replace(b"user_1", USER_OF_A)
    async with serving(sick) as a, serving(well) as b:
        providers = [at(a, "a", ejection={"time": "1m"}), at(b, "b")]
        async with served(tmp_path, providers, server={"workers": 3}) as gateway:
            async with connected(gateway.url) as client:
                for _ in range(5):
                    assert (await client.ask(post(body))).status == 200
            await eventually(lambda: is_at(gateway, USER_OF_A, "b"))
            assert {await provider_of(gateway, body) for _ in range(30)} == {"b"}
            assert len(sick.seen) == 5
            route = (await read_json(url_of_route(gateway, USER_OF_A)))["data"]
    out, other = route["choices"]
    assert (out["provider"], out["obstacle"], out["ejections"]) == ("a", "out", 1)
    assert (out["routed"]["home"], other["routed"]["failover"]) == (5, 35)
    assert out["max_in_flight"] == 512


async def test_counts_never_fall(tmp_path: Path) -> None:
    """What workers counted is still told when one was killed and all were exchanged."""
    async with (
        serving(Requests(whole(COMPLETION))) as provider,
        served(tmp_path, [at(provider)], server={"workers": 2}, metrics=METRICS) as gateway,
    ):
        told: list[float] = []

        async def are_told(calls: int) -> bool:
            told.append(await metric(gateway.url, "hearth_requests_total"))
            return told[-1] == calls

        for _ in range(20):
            await provider_of(gateway, CHAT)
        await eventually(lambda: are_told(20))
        workers = gateway.workers()
        os.kill(workers[0], signal.SIGKILL)
        await gateway.until_workers(2, without=workers[:1])
        await eventually(lambda: are_told(20))
        workers = gateway.workers()
        os.kill(gateway.pid, signal.SIGHUP)
        await gateway.until_workers(2, without=workers)
        for _ in range(5):
            await provider_of(gateway, CHAT)
        await eventually(lambda: are_told(25))
    assert told == sorted(told)


async def test_a_stream_ends_well(tmp_path: Path) -> None:
    """On SIGTERM a stream goes on to its end in its worker, while nobody new gets in."""
    stopping = asyncio.Event()
    async with (
        serving(ends_at(stopping)) as provider,
        served(tmp_path, [at(provider)], server={"workers": 2, "drain": "1m"}) as gateway,
        connected(gateway.url) as client,
    ):
        client.send(post(STREAM))
        _, headers = await client.head()
        pieces = client.pieces(headers)
        assert await anext(pieces) == HELLO
        os.kill(gateway.pid, signal.SIGTERM)
        await until_refused(gateway.url)
        assert gateway.running.process.returncode is None
        stopping.set()
        assert [piece async for piece in pieces] == [DONE, b""]
        assert await asyncio.wait_for(gateway.running.process.wait(), PATIENCE) == 0


async def test_a_reload_cuts_no_stream(tmp_path: Path) -> None:
    """A worker that others have replaced stays for as long as its streams take, whatever `drain`
    says of the end."""
    stopping = asyncio.Event()
    async with (
        serving(ends_at(stopping)) as provider,
        served(tmp_path, [at(provider)], server={"drain": "1ms"}) as gateway,
        connected(gateway.url) as client,
        connected(gateway.url) as waiting,
    ):
        client.send(post(STREAM))
        _, headers = await client.head()
        pieces = client.pieces(headers)
        assert await anext(pieces) == HELLO
        old = gateway.workers()
        os.kill(gateway.pid, signal.SIGHUP)
        await gateway.until_workers(2)
        assert await waiting.is_closed()
        assert (await read_json(url_of_route(gateway, USER_OF_A)))["data"]["provider"] == "a"
        stopping.set()
        assert [piece async for piece in pieces] == [DONE, b""]
        await gateway.until_workers(1, without=old)


async def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    """Whoever cannot wait for a stream says so again."""
    async with (
        serving(never_end) as provider,
        served(tmp_path, [at(provider)], server={"drain": "1m"}) as gateway,
        connected(gateway.url) as client,
    ):
        client.send(post(STREAM))
        await client.head()
        os.kill(gateway.pid, signal.SIGINT)
        await until_refused(gateway.url)
        os.kill(gateway.pid, signal.SIGINT)
        assert await asyncio.wait_for(gateway.running.process.wait(), PATIENCE) == 0


async def test_the_end_does_not_wait_for_a_reload(tmp_path: Path) -> None:
    """SIGTERM while new workers start, which may take long, is heeded at once."""
    async with (
        serving(Requests(whole(COMPLETION))) as provider,
        served(tmp_path, [at(provider)], server={"drain": "1m"}) as gateway,
    ):
        [old] = gateway.workers()
        os.kill(gateway.pid, signal.SIGHUP)
        await gateway.until_workers(2)
        [fresh] = set(gateway.workers()) - {old}
        os.kill(fresh, signal.SIGSTOP)  # it never becomes ready
        os.kill(gateway.pid, signal.SIGTERM)
        assert await asyncio.wait_for(gateway.running.process.wait(), PATIENCE) == 0


async def test_no_reload_begins_after_the_end(tmp_path: Path) -> None:
    """A configuration that is still being read when the end comes is given up."""
    async with (
        serving(Requests(whole(COMPLETION))) as provider,
        served(tmp_path, [at(provider)]) as gateway,
    ):
        text, [worker] = gateway.file.read_bytes(), gateway.workers()
        os.mkfifo(tmp_path / "slow")
        (tmp_path / "slow").replace(gateway.file)
        with await asyncio.to_thread(gateway.file.open, "wb") as slow:  # as soon as it is read
            for number in (signal.SIGTERM, signal.SIGINT):
                os.kill(gateway.pid, number)
            await until(lambda: worker not in gateway.workers())  # the second one is heeded
            slow.write(text)
        assert await asyncio.wait_for(gateway.running.process.wait(), PATIENCE) == 0
        log = gateway.running.process.stderr
        assert log is not None
        assert b"serving with the new configuration" not in await log.read()


async def test_more_workers_for_the_same_port(tmp_path: Path) -> None:
    """A reload may change their number; no connection waits at a place that nobody took."""
    async with (
        serving(Requests(whole(COMPLETION))) as provider,
        served(tmp_path, [at(provider)]) as gateway,
    ):
        for number in (3, 1):
            text = gateway.file.read_text()
            old = gateway.workers()
            gateway.file.write_text(text.replace("drain: 5s", f"drain: 5s\n  workers: {number}"))
            os.kill(gateway.pid, signal.SIGHUP)
            await gateway.until_workers(number, without=old)
            for _ in range(30):
                assert await asyncio.wait_for(provider_of(gateway, CHAT), PATIENCE) == "a"
            gateway.file.write_text(text)
