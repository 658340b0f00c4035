"""Answers arrive when they should and as far as they should."""

import time
from collections.abc import AsyncIterator

import aiohttp
import pytest

from gateway.mock.running import RunningProvider, running_provider
from gateway.mock.settings import MockSettings
from gateway.units import Duration
from tests.parts.waiting import PATIENCE

BODY = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Is the oven warm?"}]}


@pytest.fixture
async def provider() -> AsyncIterator[RunningProvider]:
    async with running_provider(MockSettings()) as provider:
        yield provider


async def read_into(received: bytearray, response: aiohttp.ClientResponse) -> None:
    async for piece in response.content.iter_any():
        received += piece


async def test_cut_ends_an_answer_halfway(
    http: aiohttp.ClientSession, provider: RunningProvider
) -> None:
    """Streamed or not, some of it arrives and then the connection breaks."""
    provider.fail("cut")
    for stream in (False, True):
        body = {**BODY, "stream": stream}
        received = bytearray()
        async with http.post(f"{provider.url}/chat/completions", json=body) as response:
            assert response.status == 200
            with pytest.raises(aiohttp.ClientPayloadError):
                await read_into(received, response)
        assert b"chat.completion" in received
        assert b"[DONE]" not in received


@pytest.mark.parametrize(
    ("fault", "seconds", "error"),
    [
        ("refuse", PATIENCE, (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)),
        ("garbage", PATIENCE, (aiohttp.ClientResponseError,)),
        ("hang", 0.5, (TimeoutError,)),
    ],
)
async def test_a_broken_connection_answers_nothing(
    http: aiohttp.ClientSession,
    provider: RunningProvider,
    fault: str,
    seconds: float,
    error: tuple[type[Exception], ...],
) -> None:
    """`refuse` resets, `garbage` is not HTTP, `hang` outlasts every timeout."""
    provider.fail(fault)
    with pytest.raises(error):
        await http.post(f"{provider.url}/responses", timeout=aiohttp.ClientTimeout(total=seconds))
    assert len(provider.seen) == 1


def test_uncached_tokens_take_time() -> None:
    """The first byte waits for the base and for every thousand uncached tokens."""
    settings = MockSettings(
        latency=Duration.parse("20ms"), latency_per_1k=Duration.parse("100ms"), token_rate=50
    )
    assert settings.first_byte_after(0) == pytest.approx(0.02)
    assert settings.first_byte_after(2500) == pytest.approx(0.27)
    assert settings.pause == pytest.approx(0.02)
    assert MockSettings().pause == 0


@pytest.mark.parametrize("stream", [False, True])
async def test_answers_take_their_time(http: aiohttp.ClientSession, stream: bool) -> None:
    """No answer is quicker than its latency and token rate allow."""
    settings = MockSettings(latency=Duration(0.03), token_rate=200)
    body = {**BODY, "max_tokens": 4, "stream": stream}
    async with running_provider(settings) as provider:
        started = time.perf_counter()
        async with http.post(f"{provider.url}/chat/completions", json=body) as response:
            await response.read()
        assert time.perf_counter() - started >= 0.03 + 4 / 200
