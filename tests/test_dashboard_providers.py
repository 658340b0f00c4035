"""The page of providers: who is left alone, since when, and why."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from tests.parts.calls import CHAT, Requests, at, whole
from tests.parts.gateways import RunningGateway, running_gateway
from tests.parts.raw_provider import serving
from tests.parts.visitor import table, text
from tests.parts.waiting import eventually

AILING = {"failures": 3, "time": "1h", "max_time": "1h"}


@asynccontextmanager
async def ailing(folder: Path, answer: bytes, **settings: object) -> AsyncIterator[RunningGateway]:
    """A gateway whose one provider gives this answer to everything."""

    async with (
        serving(Requests(answer)) as provider,
        running_gateway(folder, [at(provider, "a", **settings)]) as gateway,
    ):
        yield gateway


async def call(browser: aiohttp.ClientSession, gateway: RunningGateway, times: int) -> None:
    for _ in range(times):
        async with browser.post(f"{gateway.url}/chat/completions", data=CHAT) as answer:
            await answer.read()


async def row(browser: aiohttp.ClientSession, gateway: RunningGateway) -> dict[str, str]:
    """What the page's CSV says of the provider."""
    (found,) = await table(browser, f"{gateway.origin}/providers?format=csv")
    return found


async def card(browser: aiohttp.ClientSession, gateway: RunningGateway) -> str:
    """The part of the page above its table."""
    return (await text(browser, f"{gateway.origin}/providers")).partition("<table")[0]


async def test_all_is_well(tmp_path: Path, browser: aiohttp.ClientSession) -> None:
    """A provider that never failed has no ejection to tell of, on the page and in its CSV."""
    async with ailing(tmp_path, whole(b"{}")) as gateway:
        await call(browser, gateway, 1)
        assert "No ejections since" in await card(browser, gateway)
        assert 'href="/generations?provider=a"' in await text(
            browser, f"{gateway.origin}/providers"
        )
        found = await row(browser, gateway)
    assert (found["state"], found["ejections"], found["left_alone_reason"]) == (
        "takes calls",
        "0",
        "",
    )


async def test_drained(tmp_path: Path, browser: aiohttp.ClientSession) -> None:
    """One without weight is well, and nobody's home: the page does not say that it takes calls."""
    well = [{"name": name, "base_url": "http://127.0.0.1:9"} for name in ("a", "b")]
    async with running_gateway(tmp_path, [well[0], {**well[1], "weight": 0}]) as gateway:
        shown = await card(browser, gateway)
    assert (shown.count(">takes calls<"), shown.count(">drained<")) == (1, 1)


async def test_ejection(tmp_path: Path, browser: aiohttp.ClientSession) -> None:
    """Calls that failed put it out: the page says how often, for how long and why."""
    broken = whole(b"{}", b"500 Broken")
    async with ailing(tmp_path, broken, ejection=AILING) as gateway:
        await call(browser, gateway, 3)
        shown = await card(browser, gateway)
        found = await row(browser, gateway)
    assert "1 ejection since" in shown
    assert "for 60 min: 3 calls in a row failed; the last: status 500." in shown
    assert (found["state"], found["ejections"]) == ("out", "1")
    assert found["left_alone_reason"] == "3 calls in a row failed; the last: status 500"
    assert (found["left_alone_seconds"], found["left_alone_at"][:2]) == ("3600.0", "20")


async def test_pause(tmp_path: Path, browser: aiohttp.ClientSession) -> None:
    """A provider that asked to be left alone was not ejected; the page says what it asked for."""
    busy = whole(b"{}", b"429 Busy", b"Retry-After: 7")
    async with ailing(tmp_path, busy, api_key="sk-1") as gateway:
        await call(browser, gateway, 1)
        shown = await card(browser, gateway)
    assert "No ejections since" in shown
    assert "for 7 s: it asked to be left alone for 7 s." in shown


async def test_probe(tmp_path: Path, browser: aiohttp.ClientSession) -> None:
    """One whose probes fail is down until they succeed; no end is known before."""
    probed = {"path": "/models", "interval": "50ms"}
    broken = whole(b"{}", b"500 Broken")
    async with ailing(tmp_path, broken, health=probed) as gateway:

        async def is_down() -> bool:
            return ">down<" in await card(browser, gateway)

        await eventually(is_down)
        shown = await card(browser, gateway)
        found = await row(browser, gateway)
    assert "2 probes in a row failed." in shown
    assert (found["state"], found["left_alone_seconds"]) == ("down", "")
