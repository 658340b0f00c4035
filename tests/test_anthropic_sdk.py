"""Anthropic's Python client, unchanged but for its base_url, is served as by Anthropic."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import anthropic
import pytest
from anthropic import Anthropic, AsyncAnthropic
from anthropic.types import Message, MessageParam

from tests.parts.client_world import APP_KEY, OPS_KEY, ClientWorld
from tests.parts.strict_clients import strict_claude

MODEL = "claude-haiku-4-5"
QUESTION: list[MessageParam] = [{"role": "user", "content": "Is the oven warm?"}]


@pytest.fixture
async def claude(world: ClientWorld) -> AsyncIterator[AsyncAnthropic]:
    """Anthropic's client, which raises on any answer that differs from its types."""
    async with anthropic_client(world) as client:
        yield client


def anthropic_client(world: ClientWorld, api_key: str = APP_KEY) -> AsyncAnthropic:
    return strict_claude(world.gateway.origin, api_key)


def text_of(message: Message) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


async def test_messages(
    http: aiohttp.ClientSession, world: ClientWorld, claude: AsyncAnthropic
) -> None:
    """A message is answered; X-Generation-Id leads to its record, metadata.user_id and all."""
    raw = await claude.messages.with_raw_response.create(
        model=MODEL, max_tokens=1000, messages=QUESTION, metadata={"user_id": "user_1"}
    )
    message, record = await raw.parse(), await world.record(http, raw.headers["x-generation-id"])
    assert text_of(message)
    assert (record["external_user"], record["upstream_id"]) == ("user_1", message.id)
    assert record["hearth"]["user_source"] == "metadata.user_id"
    assert record["native_tokens_prompt"] == message.usage.input_tokens > 0
    assert record["native_tokens_completion"] == message.usage.output_tokens > 0


async def test_blocking_client(world: ClientWorld, claude: AsyncAnthropic) -> None:
    """A blocking client gets the same words, also below /api, as OpenRouter's users write it."""

    def ask() -> Message:
        with Anthropic(base_url=f"{world.gateway.origin}/api", api_key=APP_KEY) as client:
            return client.messages.create(model=MODEL, max_tokens=1000, messages=QUESTION)

    blocking = await asyncio.to_thread(ask)
    direct = await claude.messages.create(model=MODEL, max_tokens=1000, messages=QUESTION)
    assert text_of(blocking) == text_of(direct)


async def test_key_stays_with_the_gateway(world: ClientWorld, claude: AsyncAnthropic) -> None:
    """The client's x-api-key opens the gateway and is not shown to the provider."""
    await claude.messages.create(model=MODEL, max_tokens=10, messages=QUESTION)
    (seen,) = world.provider.seen
    assert all(APP_KEY not in value for value in seen.headers.values())
    assert seen.headers["anthropic-version"]


async def test_models(claude: AsyncAnthropic) -> None:
    """The list of models ends, and a single one is found."""
    listed = [model.id async for model in claude.models.list()]
    found = await claude.models.retrieve(MODEL)
    assert MODEL in listed
    assert (found.id, found.display_name, found.type) == (MODEL, MODEL, "model")


async def test_messages_stream(
    http: aiohttp.ClientSession, world: ClientWorld, claude: AsyncAnthropic
) -> None:
    """A streamed message is assembled to the same text and usage, and counted alike; the record
    has its end in OpenRouter's word and in Anthropic's.
    """
    whole = await claude.messages.create(model=MODEL, max_tokens=1000, messages=QUESTION)
    async with claude.messages.stream(model=MODEL, max_tokens=1000, messages=QUESTION) as stream:
        message = await stream.get_final_message()
    record = await world.newest(http)
    assert (text_of(message), message.usage) == (text_of(whole), whole.usage)
    assert record["streamed"] is True
    assert (record["finish_reason"], record["native_finish_reason"]) == ("stop", "end_turn")
    assert record["native_tokens_completion"] == message.usage.output_tokens


async def test_broken_stream_raises(world: ClientWorld, claude: AsyncAnthropic) -> None:
    """A provider that dies mid-answer raises from the stream, in Anthropic's envelope."""
    world.provider.fail("cut")
    async with claude.messages.stream(model=MODEL, max_tokens=1000, messages=QUESTION) as stream:
        with pytest.raises(anthropic.APIError, match="broke off") as caught:
            await stream.get_final_message()
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["type"] == "error"
    assert caught.value.body["error"]["type"] == "api_error"


async def test_key_errors(world: ClientWorld) -> None:
    """An unknown key and a key of the wrong kind raise the client's own classes."""
    async with (
        anthropic_client(world, "sk-nobody") as nobody,
        anthropic_client(world, OPS_KEY) as o,
    ):
        with pytest.raises(anthropic.AuthenticationError) as unknown:
            await nobody.messages.create(model=MODEL, max_tokens=10, messages=QUESTION)
        with pytest.raises(anthropic.PermissionDeniedError) as foreign:
            await o.messages.create(model=MODEL, max_tokens=10, messages=QUESTION)
    assert (unknown.value.type, foreign.value.type) == ("authentication_error", "permission_error")


async def test_request_errors(world: ClientWorld, claude: AsyncAnthropic) -> None:
    """An unknown model and a wrong field come in Anthropic's envelope, with the record's id."""
    with pytest.raises(anthropic.NotFoundError) as unknown:
        await claude.messages.create(model="claude-0", max_tokens=10, messages=QUESTION)
    with pytest.raises(anthropic.BadRequestError) as wrong:
        await claude.messages.create(
            model=MODEL, max_tokens=10, messages=QUESTION, extra_body={"metadata": {"user_id": 1}}
        )
    message = "No provider serves the model `claude-0`"
    assert unknown.value.body == {
        "type": "error",
        "error": {"type": "not_found_error", "message": message},
    }
    assert wrong.value.type == "invalid_request_error"
    assert "metadata.user_id" in wrong.value.message
    assert wrong.value.response.headers["x-generation-id"].startswith("gen-")
    assert not world.provider.seen


async def test_provider_errors(world: ClientWorld, claude: AsyncAnthropic) -> None:
    """A provider's own error passes as it is; one that cannot be reached is the gateway's 502."""
    world.provider.fail("529")
    with pytest.raises(anthropic.APIStatusError) as overloaded:
        await claude.messages.create(model=MODEL, max_tokens=10, messages=QUESTION)
    world.provider.fail("refuse")
    with pytest.raises(anthropic.InternalServerError) as unreachable:
        await claude.messages.create(model=MODEL, max_tokens=10, messages=QUESTION)
    assert (overloaded.value.status_code, overloaded.value.type) == (529, "overloaded_error")
    assert (unreachable.value.status_code, unreachable.value.type) == (502, "api_error")


async def test_enforced_user_ids(world: ClientWorld, claude: AsyncAnthropic) -> None:
    """A message without a user is refused with the guide's words, and reaches no provider."""
    with pytest.raises(anthropic.UnprocessableEntityError) as caught:
        await claude.messages.create(
            model=MODEL,
            max_tokens=10,
            messages=QUESTION,
            extra_headers={"x-usagepanda-enforce-user-ids": "true"},
        )
    assert "Config set to block requests without user field" in caught.value.message
    assert not world.provider.seen
