"""A store that is away or silent: what was recorded is told, the rest is refused, and soon."""

import asyncio
import signal
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bench.redis_server import Server
from gateway.calendar import whole_days
from gateway.config import Retention
from gateway.ledger.journal import Journal
from gateway.ledger.redis import RedisStore
from tests.parts.calls import CHAT, COMPLETION, Requests, at, whole
from tests.parts.commands import running_hearth
from tests.parts.gateways import RunningGateway, Wire, running_gateway
from tests.parts.generations import MICROSECONDS, generation, records
from tests.parts.raw_client import ask_once, connected, post
from tests.parts.raw_provider import serving
from tests.parts.recorded import read_json
from tests.parts.waiting import eventually

KEYS = [
    {"name": "app", "key": "app-key"},
    {"name": "other", "key": "other-key"},
    {"name": "ops", "key": "ops-key", "role": "management"},
]
SOON = 20
"""Seconds within which a busy machine does what takes it one: long before the store gives up."""


@asynccontextmanager
async def gateway_on(folder: Path, server: Server, wire: Wire) -> AsyncIterator[RunningGateway]:
    """A gateway whose ledger is in that Redis."""
    ledger = {"url": f"{server.url}?timeout=60", "journal": f"{folder}/journal"}
    async with serving(Requests(whole(COMPLETION))) as provider:
        settings: dict[str, Any] = {"ledger": ledger, "keys": KEYS, "server": {"wire": wire}}
        async with running_gateway(folder, [at(provider, api_key="sk")], **settings) as gateway:
            yield gateway


async def call(gateway: RunningGateway) -> str:
    """The id of a call that was answered."""
    answer = await ask_once(
        gateway.origin, post(CHAT, "/v1/chat/completions", "Authorization: Bearer app-key")
    )
    assert answer.status == 200
    return answer.text("X-Generation-Id")


async def test_generation_is_found_without_its_store(
    tmp_path: Path, server: Server, wire: Wire
) -> None:
    """Right after the answer the record is there by either id, for its own tenant alone; of an id
    that no journal has, only the store could say that there is none."""
    async with gateway_on(tmp_path, server, wire) as gateway:
        server.kill()
        await call(gateway)
        made = await call(gateway)
        one = f"{gateway.api}/generation?id={made}"
        assert (await read_json(one, "app-key"))["data"]["external_user"] == "user_1"
        assert (await read_json(one, "ops-key"))["data"]["id"] == made
        upstream = await read_json(f"{gateway.api}/generation?id=chatcmpl-1", "app-key")
        assert upstream["data"]["id"] == made
        await read_json(one, "other-key", 503)
        missing = await read_json(f"{gateway.api}/generation?id=gen-none", "app-key", 503)
        assert str(server.port) in missing["error"]["message"]


async def test_another_process_finds_it(tmp_path: Path, server: Server) -> None:
    """Any process with the same journal folder tells it, too."""
    async with gateway_on(tmp_path, server, "fast") as gateway:
        config = tmp_path / "config.yaml"
        async with running_hearth("serve", "-c", config) as second:
            origin = (await second.says("listens on")).split()[-1]
            server.kill()
            made = await call(gateway)
            found = await read_json(f"{origin}/api/v1/generation?id={made}", "app-key")
            assert found["data"]["id"] == made


@pytest.mark.parametrize("how", ["killed", "paused"])
async def test_lists_are_refused_soon(tmp_path: Path, server: Server, wire: Wire, how: str) -> None:
    """They answer 503 in the API's envelope, naming the store, while calls go on."""
    async with gateway_on(tmp_path, server, wire) as gateway:
        server.signal(signal.SIGKILL if how == "killed" else signal.SIGSTOP)
        made = [await call(gateway) for _ in range(3)]
        for path in ("generations", "activity"):
            start = time.monotonic()
            refusal = await read_json(f"{gateway.api}/{path}", "ops-key", 503)
            assert time.monotonic() - start < SOON
            assert refusal["error"]["code"] == 503
            assert str(server.port) in refusal["error"]["message"]
        assert (await read_json(f"{gateway.api}/generation?id={made[0]}", "app-key"))["data"]
        server.kill()


async def test_pages_are_refused_soon(tmp_path: Path, server: Server) -> None:
    """A browser is told as well; the record's own page is there, and how the providers are now."""
    async with gateway_on(tmp_path, server, "fast") as gateway:
        made = await call(gateway)
        server.signal(signal.SIGSTOP)
        headers = {"Accept": "text/html", "Authorization": "Bearer ops-key"}
        async with aiohttp.ClientSession(gateway.origin, headers=headers) as browser:

            async def soon(path: str) -> tuple[int, str]:
                async with asyncio.timeout(SOON), browser.get(path) as answer:
                    return answer.status, await answer.text()

            paths = ("/activity", "/users/user_1", "/providers?format=csv", "/providers")
            *refused, providers = await asyncio.gather(*map(soon, paths))
            assert (await soon(f"/generations/{made}"))[0] == 200
        server.kill()
    assert [status for status, _ in refused] == [503] * 3
    assert all("store does not answer" in page for _, page in (*refused[:2], providers))
    assert (providers[0], "takes calls" in providers[1]) == (200, True)
    assert "<table" not in providers[1]


async def test_download_breaks_off(tmp_path: Path, server: Server) -> None:
    """One that the store leaves midway comes to no end, so that nobody takes it for the whole."""
    store = RedisStore.at(server.url, Retention())
    today = whole_days(time.time())
    calls = records(*(generation(n, day=today, title="x" * 16_000) for n in range(1500)))
    for start in range(0, len(calls), 100):
        await store.apply(calls[start : start + 100])
    await store.close()
    fields = b"Host: x\r\nAccept: text/html\r\nAuthorization: Bearer ops-key\r\n\r\n"
    async with gateway_on(tmp_path, server, "fast") as gateway, connected(gateway.origin) as client:
        client.send(b"GET /generations?format=csv HTTP/1.1\r\n" + fields)
        status, headers = await client.head()
        server.kill()
        pieces = [piece async for piece in client.pieces(headers)]
    assert status == 200
    assert pieces[-1] != b""
    assert not any(b"<html" in piece for piece in pieces)


async def test_pages_say_how_far_behind_they_are(tmp_path: Path) -> None:
    """What waits in the journal is not on the page; header and page tell since when."""
    ledger = {"url": f"sqlite:{tmp_path}/hearth.db", "journal": f"{tmp_path}/journal"}
    async with (
        serving(Requests(whole(COMPLETION))) as provider,
        running_gateway(tmp_path, [at(provider)], ledger=ledger) as gateway,
        aiohttp.ClientSession(gateway.origin, headers={"Accept": "text/html"}) as browser,
    ):
        for path in ("/activity", "/users", "/generations"):
            assert await lag_of_page(browser, path) == (0, False)
        with closing(sqlite3.connect(tmp_path / "hearth.db")) as db:
            refuse = "BEFORE INSERT ON generations BEGIN SELECT RAISE(ABORT, 'no'); END"
            db.execute(f"CREATE TRIGGER broken {refuse}")
            long_ago = time.time_ns() // 1000 - 20 * MICROSECONDS
            Journal(tmp_path / "journal").append(generation(created_at=long_ago))
            for path in ("/activity", "/users", "/generations"):
                lag, is_said = await lag_of_page(browser, path)
                assert lag > 19 * 86_400
                assert is_said
            db.execute("DROP TRIGGER broken")
        await eventually(lambda: is_up_to_date(browser, "/activity"))


async def is_up_to_date(browser: aiohttp.ClientSession, path: str) -> bool:
    return await lag_of_page(browser, path) == (0, False)


async def lag_of_page(browser: aiohttp.ClientSession, path: str) -> tuple[float, bool]:
    """What the header says, and whether the page says something."""
    async with browser.get(path) as answer:
        assert answer.status == 200
        return float(answer.headers["X-Hearth-Ledger-Lag"]), "s behind" in await answer.text()
