"""The mock provider speaks Anthropic's API well enough for Anthropic's own client."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from anthropic import AsyncAnthropic

from gateway.mock.running import RunningProvider, running_provider
from gateway.mock.settings import MockSettings
from tests.parts.strict_clients import strict_claude

LONG = "Keep the fire. " * 400


@pytest.fixture
async def provider() -> AsyncIterator[RunningProvider]:
    async with running_provider(MockSettings()) as provider:
        yield provider


@pytest.fixture
async def claude(provider: RunningProvider) -> AsyncIterator[AsyncAnthropic]:
    """Anthropic's client, which raises on any answer that differs from its types."""
    async with strict_claude(provider.origin) as client:
        yield client


async def test_messages_answer_and_stream(claude: AsyncAnthropic) -> None:
    """An Anthropic message is the same at once and assembled from its stream."""
    whole = await claude.messages.create(
        model="claude", max_tokens=1000, messages=[{"role": "user", "content": "Warm?"}]
    )
    async with claude.messages.stream(
        model="claude", max_tokens=1000, messages=[{"role": "user", "content": "Warm?"}]
    ) as stream:
        assembled = await stream.get_final_message()
    assert [block.text for block in assembled.content if block.type == "text"] == [
        block.text for block in whole.content if block.type == "text"
    ]
    assert assembled.stop_reason == whole.stop_reason == "end_turn"
    assert assembled.usage == whole.usage
    assert whole.usage.input_tokens == -(-len("user: Warm?\n") // 4)


async def test_messages_stream_in_anthropics_order(
    http: aiohttp.ClientSession, provider: RunningProvider
) -> None:
    """Every event is named; a ping comes early; the message stops last."""
    body = {"model": "claude", "max_tokens": 3, "messages": [{"role": "user", "content": "Warm?"}]}
    async with http.post(f"{provider.url}/messages", json={**body, "stream": True}) as response:
        events = (await response.read()).split(b"\n\n")[:-1]
    names = [event.split(b"\n")[0].removeprefix(b"event: ").decode() for event in events]
    assert names == [
        *("message_start", "content_block_start", "ping"),
        *["content_block_delta"] * 3,
        *("content_block_stop", "message_delta", "message_stop"),
    ]
    assert b'"stop_reason":"max_tokens"' in events[-2]


async def test_anthropic_counts_the_cache_apart(claude: AsyncAnthropic) -> None:
    """Read, written and other input tokens add up; `input_tokens` is only the last of them."""
    uses = []
    for _ in range(2):
        answer = await claude.messages.create(
            model="claude",
            max_tokens=10,
            system=[
                {
                    "type": "text",
                    "text": LONG,
                    "cache_control": {"type": "ephemeral"},
                }
            ],
            messages=[{"role": "user", "content": "Warm?"}],
        )
        usage = answer.usage
        uses.append(
            (usage.cache_creation_input_tokens, usage.cache_read_input_tokens, usage.input_tokens)
        )
    rest = -(-len("system: \nuser: Warm?\n" + LONG) // 4) - 1408
    assert uses == [(1408, 0, rest), (0, 1408, rest)]


async def test_anthropic_caches_only_on_request(claude: AsyncAnthropic) -> None:
    """Without `cache_control` nothing is written and nothing read, however often it comes."""
    for _ in range(2):
        answer = await claude.messages.create(
            model="claude",
            max_tokens=10,
            messages=[{"role": "user", "content": LONG}],
        )
        assert answer.usage.cache_read_input_tokens == 0
        assert answer.usage.cache_creation_input_tokens == 0
        assert answer.usage.input_tokens == -(-len(f"user: {LONG}\n") // 4)
