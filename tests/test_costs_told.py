"""What users are told that audio, images and searches cost: asked by SDKs, answered in the shapes
of their types."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI

from tests.parts.calls import Requests, at, whole
from tests.parts.gateways import RunningGateway, running_gateway
from tests.parts.raw_provider import serving
from tests.parts.recorded import only_generation

AUDIO_PREVIEW = {"input": 2.5, "output": 10, "input_audio": 40, "output_audio": 80}


@asynccontextmanager
async def answering(folder: Path, answer: dict[str, Any]) -> AsyncIterator[RunningGateway]:
    """A gateway in front of a provider that has this answer for everything."""
    async with serving(Requests(whole(msgspec.json.encode(answer)))) as provider:
        providers = [at(provider, prices={"gpt-4o-audio-preview": AUDIO_PREVIEW})]
        async with running_gateway(folder, providers) as gateway:
            yield gateway


def openai_at(gateway: RunningGateway) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=gateway.url, api_key="sk-any", max_retries=0)


async def test_a_spoken_answer(tmp_path: Path) -> None:
    """By the configuration: audio at 40 and 80, the text beside it at 2.50 and 10 a million."""
    usage = {
        "prompt_tokens": 1000,
        "completion_tokens": 300,
        "total_tokens": 1300,
        "prompt_tokens_details": {"audio_tokens": 800, "cached_tokens": 0},
        "completion_tokens_details": {"audio_tokens": 240, "reasoning_tokens": 0},
    }
    answer = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "choices": []}
    async with (
        answering(tmp_path, {**answer, "model": "m", "usage": usage}) as gateway,
        openai_at(gateway) as client,
    ):
        told = await client.chat.completions.create(
            model="gpt-4o-audio-preview",
            modalities=["text", "audio"],
            audio={"voice": "alloy", "format": "wav"},
            messages=[{"role": "user", "content": "How hot is a bread oven?"}],
        )
        record = await only_generation(gateway)
    assert told.usage is not None
    assert told.usage.to_dict() == usage
    assert record["total_cost"] == (200 * 2.5 + 800 * 40 + 60 * 10 + 240 * 80) / 1e6
    assert record["hearth"]["completion_audio_tokens"] == 240


async def test_a_picture(tmp_path: Path) -> None:
    """By the list: gpt-image-1 reads at 5, sees at 10 and draws at 40 a million."""
    usage = {
        "input_tokens": 350,
        "input_tokens_details": {"image_tokens": 323, "text_tokens": 27},
        "output_tokens": 1056,
        "total_tokens": 1406,
    }
    answer = {"created": 1, "data": [{"b64_json": "AAAA"}], "usage": usage}
    async with answering(tmp_path, answer) as gateway, openai_at(gateway) as client:
        told = await client.images.generate(model="gpt-image-1", prompt="A bread oven")
        record = await only_generation(gateway)
    assert told.usage is not None
    assert told.usage.to_dict() == usage
    assert record["total_cost"] == (27 * 5 + 323 * 10 + 1056 * 40) / 1e6
    assert record["native_tokens_completion_images"] == 1056


async def test_a_picture_sold_by_the_piece(tmp_path: Path) -> None:
    """By xAI's own word, which counts no tokens (docs.x.ai/developers/cost-tracking)."""
    answer = {"data": [{"b64_json": "AAAA"}], "usage": {"cost_in_usd_ticks": 200_000_000}}
    async with answering(tmp_path, answer) as gateway, openai_at(gateway) as client:
        await client.images.generate(model="grok-imagine-image", prompt="A bread oven")
        record = await only_generation(gateway)
    assert (record["total_cost"], record["native_tokens_completion"]) == (0.02, 0)


async def test_a_recording(tmp_path: Path) -> None:
    """By the list: gpt-4o-transcribe reads at 2.50, hears at 6 and writes at 10 a million."""
    usage = {
        "type": "tokens",
        "input_tokens": 44,
        "input_token_details": {"audio_tokens": 30, "text_tokens": 14},
        "output_tokens": 12,
        "total_tokens": 56,
    }
    answer = {"text": "Very hot.", "usage": usage}
    async with answering(tmp_path, answer) as gateway, openai_at(gateway) as client:
        told = await client.audio.transcriptions.create(
            model="gpt-4o-transcribe", file=("oven.wav", b"RIFF")
        )
        record = await only_generation(gateway)
    assert told.text == "Very hot."
    assert record["total_cost"] == (14 * 2.5 + 30 * 6 + 12 * 10) / 1e6
    assert record["hearth"]["prompt_audio_tokens"] == 30


async def test_a_search(tmp_path: Path) -> None:
    """By the list: Claude Haiku 4.5 at 1 and 5 a million, each search at a cent."""
    answer = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-haiku-4-5",
        "content": [{"type": "text", "text": "Very hot."}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 5000,
            "output_tokens": 90,
            "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 0},
        },
    }
    async with (
        answering(tmp_path, answer) as gateway,
        AsyncAnthropic(base_url=gateway.origin, api_key="sk-any", max_retries=0) as client,
    ):
        told = await client.messages.create(
            model="claude-haiku-4-5",
            max_tokens=100,
            messages=[{"role": "user", "content": "How hot is a bread oven?"}],
            tools=[{"type": "web_search_20250305", "name": "web_search"}],
        )
        record = await only_generation(gateway)
    assert told.usage.server_tool_use is not None
    assert told.usage.server_tool_use.web_search_requests == 2
    assert record["total_cost"] == (5000 * 1 + 90 * 5) / 1e6 + 0.02
    assert record["hearth"]["web_searches"] == 2
