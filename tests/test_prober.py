"""Probes: what they ask, which answers are signs of life, and what follows without any."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.config import Health, Timeouts
from gateway.config import Provider as Settings
from gateway.routing.prober import Prober, probe
from gateway.routing.provider import Provider
from gateway.units import Duration
from tests.parts.calls import CHAT, COMPLETION, Requests, at, babble, hang, whole
from tests.parts.gateways import running_gateway
from tests.parts.pools import settings
from tests.parts.raw_client import connected, post
from tests.parts.raw_provider import Peer, RawProvider, serving
from tests.parts.recorded import read_json
from tests.parts.waiting import until

HEALTH = Health(path="/health", interval=Duration(0.02))
OFTEN = {"path": "/health", "interval": "20ms"}


def probed(provider: RawProvider, **more: Any) -> Settings:
    """The settings of a scripted provider that is to be probed."""
    base_url = f"http://127.0.0.1:{provider.port}/v1/"
    return settings("a", base_url=base_url, health=HEALTH, **more)


async def is_good(answer: bytes, **more: Any) -> bool:
    async with serving(Requests(answer)) as provider, aiohttp.ClientSession() as session:
        return await probe(session, probed(provider, **more), Health(path="/health"))


async def head_of_probe(**more: Any) -> bytes:
    """The request a provider with these settings gets."""
    asked = Requests(whole(b"{}"))
    async with serving(asked) as provider, aiohttp.ClientSession() as session:
        assert await probe(session, probed(provider, **more), Health(path="/health"))
    [(head, _)] = asked.seen
    return head


async def test_a_probe_is_a_get_with_the_providers_key() -> None:
    """Below `base_url`, with the configured headers and the key as a bearer token."""
    head = await head_of_probe(api_key="sk-1", headers={"OpenAI-Organization": "org-1"})
    assert head.startswith(b"GET /v1/health HTTP/1.1\r\n")
    assert b"Authorization: Bearer sk-1\r\n" in head
    assert b"OpenAI-Organization: org-1\r\n" in head


async def test_a_probe_of_anthropics_api() -> None:
    """Where `anthropic-version` is configured the key is in both fields, as it is in calls: others
    that speak this API want a bearer's token."""
    head = await head_of_probe(api_key="sk-1", headers={"Anthropic-Version": "2023-06-01"})
    assert b"x-api-key: sk-1\r\n" in head
    assert b"Authorization: Bearer sk-1\r\n" in head


async def test_a_probe_without_a_key() -> None:
    """No credentials are made up."""
    assert b"uthorization" not in await head_of_probe()


@pytest.mark.parametrize(
    ("status", "good"),
    [
        (b"200 OK", True),
        (b"302 OnProbed", True),
        (b"404 Not OnProbed", True),
        (b"429 Too Many", True),
        (b"401 Unauthorized", False),
        (b"402 Payment Required", False),
        (b"403 Forbidden", False),
        (b"500 Oh", False),
        (b"503 Down", False),
    ],
)
async def test_signs_of_life(status: bytes, good: bool) -> None:
    """Any answer below 500, unless it refuses the provider's key."""
    assert await is_good(whole(b"{}", status, b"Location: /v1/other"), api_key="sk-1") is good


async def test_a_refusal_without_a_key_is_a_sign_of_life() -> None:
    """401 is what a healthy provider says to nobody in particular."""
    assert await is_good(whole(b"{}", b"401 Unauthorized"))


async def test_silence_and_noise_are_none() -> None:
    """A provider that takes too long, hangs up, speaks no HTTP or is not there is not well."""
    timeouts = Timeouts(first_byte=Duration(0.05))
    async with serving(hang) as provider, aiohttp.ClientSession() as session:
        assert not await probe(session, probed(provider, timeouts=timeouts), Health())
    async with serving(babble) as provider, aiohttp.ClientSession() as session:
        assert not await probe(session, probed(provider), Health())
        gone = probed(provider)
    async with aiohttp.ClientSession() as session:
        assert not await probe(session, gone, Health())


async def test_a_provider_goes_out_and_comes_back() -> None:
    """Bad probes put it out, a good one brings it back, for as long as the prober runs."""
    answers = iter([b"200 OK", b"503 Down", b"503 Down", b"503 Down"])

    async def moody(peer: Peer) -> None:
        while True:
            await peer.head()
            peer.send(whole(b"{}", next(answers, b"200 OK")))

    async with serving(moody) as raw:
        provider = Provider(probed(raw))
        async with Prober([provider, Provider(settings("unprobed"))]):
            await until(lambda: provider.health.is_down)
            assert not provider.available(asyncio.get_running_loop().time())
            await until(lambda: not provider.health.is_down)
        await raw.wait_closed()
        asked = raw.requests
        await asyncio.sleep(2.5 * HEALTH.interval)  # nothing shows that no more come
        assert raw.requests == asked


async def test_a_probe_brings_no_cookies_back() -> None:
    """What an answer sets is for browsers; kept, it would grow with every probe."""
    asked = Requests(whole(b"{}", b"200 OK", b"Set-Cookie: a=b"))
    async with serving(asked) as raw:
        base_url = f"http://localhost:{raw.port}/v1"
        provider = Provider(settings("a", base_url=base_url, health=HEALTH))
        async with Prober([provider]):
            await until(lambda: len(asked.seen) >= 2)
    assert not any(b"cookie" in head.lower() for head, _ in asked.seen)


async def test_users_of_a_provider_that_is_down(tmp_path: Path) -> None:
    """Its calls go to the others without a try at it, and the API says why."""
    sick, well = Requests(whole(b"{}", b"503 Down")), Requests(whole(COMPLETION))
    async with serving(sick) as a, serving(well) as b:
        providers = [at(a, "a", health=OFTEN), at(b, "b")]
        async with running_gateway(tmp_path, providers) as gateway:
            await until(lambda: len(sick.seen) >= 3)
            for number in range(8):
                async with connected(gateway.origin) as client:
                    client.send(post(CHAT.replace(b"user_1", b"user_%d" % number)))
                    assert (await client.answer()).text("X-Hearth-Provider") == "b"
            route = (await read_json(f"{gateway.api}/route?user=user_1"))["data"]
    assert all(head.startswith(b"GET ") for head, _ in sick.seen)
    [choice] = [choice for choice in route["choices"] if choice["provider"] == "a"]
    assert (choice["obstacle"], choice["available"], choice["returns_in"]) == ("out", False, None)
    assert choice["why"].endswith("down: its probe fails")
