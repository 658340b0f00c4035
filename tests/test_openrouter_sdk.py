"""OpenRouter's Python client, unchanged but for its server_url, can read all it is answered."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import aiohttp
import httpx
import pytest
from openrouter import OpenRouter
from openrouter.components import (
    ActivityItem,
    ChatMessagesTypedDict,
    ChatResult,
    ChatStreamChunk,
    GenerationResponseData,
)
from openrouter.errors import (
    BadGatewayResponseError,
    BadRequestResponseError,
    ForbiddenResponseError,
    NotFoundResponseError,
    OpenRouterError,
    UnauthorizedResponseError,
    UnprocessableEntityResponseError,
)
from openrouter.operations import GetUserActivityRequest

from tests.parts.client_world import APP_KEY, MODEL, OPS_KEY, ClientWorld

QUESTION: list[ChatMessagesTypedDict] = [
    {"role": "user", "content": "What's the weather like today?"}
]


@pytest.fixture
async def client(world: ClientWorld) -> AsyncIterator[OpenRouter]:
    """An app's client; its answers are checked against OpenRouter's own schema."""
    async with openrouter_client(world) as client:
        yield client


@pytest.fixture
async def manager(world: ClientWorld) -> AsyncIterator[OpenRouter]:
    """A client with a management key."""
    async with openrouter_client(world, OPS_KEY) as client:
        yield client


def openrouter_client(world: ClientWorld, api_key: str = APP_KEY) -> OpenRouter:
    """A client that does not repeat what failed."""
    return OpenRouter(server_url=world.gateway.api, api_key=api_key, retry_config=None)


async def ask(client: OpenRouter, **fields: Any) -> str:
    """Ask for a chat completion; the id of the answer."""
    answer: ChatResult = await client.chat.send_async(model=MODEL, messages=QUESTION, **fields)
    return answer.id


def is_whole(model: GenerationResponseData | ActivityItem) -> bool:
    """Whether every field of the schema was in the answer, so that none is a default."""
    return type(model).model_fields.keys() <= model.model_fields_set


def metadata_of(error: OpenRouterError) -> dict[str, Any]:
    """What OpenRouter's errors say beside code and message."""
    data: Any = getattr(error, "data", None)
    metadata: dict[str, Any] = data.error.metadata
    return metadata


async def read_stream(client: OpenRouter) -> tuple[list[ChatStreamChunk], Exception | None]:
    """The chunks of a streamed answer, and what ended it, if something did."""
    chunks: list[ChatStreamChunk] = []
    stream = await client.chat.send_async(model=MODEL, messages=QUESTION, user="u", stream=True)
    async with stream:
        try:
            async for chunk in stream:
                chunks += [chunk]
        except httpx.RemoteProtocolError as error:
            return chunks, error
    return chunks, None


async def test_chat(http: aiohttp.ClientSession, world: ClientWorld) -> None:
    """The guide's example, in Python: chat.send from a blocking client, its user on record."""

    def send() -> str | None:
        with openrouter_client(world) as client:
            answer = client.chat.send(
                model=MODEL, messages=QUESTION, user="user_12345", stream=False
            )
            return str(answer.choices[0].message.content)

    assert await asyncio.to_thread(send)
    assert (await world.newest(http))["external_user"] == "user_12345"


async def test_chat_stream(
    http: aiohttp.ClientSession, world: ClientWorld, client: OpenRouter
) -> None:
    """A stream yields typed chunks with the words of the whole answer."""
    whole = await client.chat.send_async(model=MODEL, messages=QUESTION)
    chunks, error = await read_stream(client)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert error is None
    assert text == whole.choices[0].message.content
    assert (await world.newest(http))["streamed"] is True


async def test_broken_stream(world: ClientWorld, client: OpenRouter) -> None:
    """A provider that dies mid-answer ends the stream with a typed error, and not cleanly."""
    world.provider.fail("cut")
    chunks, gone = await read_stream(client)
    error = chunks[-1].error
    assert gone is not None
    assert error is not None
    assert error.metadata is not None
    assert (error.code, error.metadata.error_type) == (502, "provider_unavailable")
    assert chunks[-1].choices[0].finish_reason == "error"


async def test_models(client: OpenRouter) -> None:
    """The list of models fits OpenRouter's schema, and tells prices in USD a token."""
    answer = await client.models.list_async()
    assert answer is not None
    named = {model.id: model for model in answer.result.data}
    assert answer.result.total_count == len(named)
    assert (named[MODEL].pricing.prompt, named[MODEL].pricing.completion) == (
        "0.000001",
        "0.000002",
    )
    assert named[MODEL].links.details == f"/api/v1/models/{MODEL}"


async def test_other_questions_about_models(client: OpenRouter) -> None:
    """How many there are, those of the user, and that one is not there, fit their schemas too."""
    count = await client.models.count_async()
    listed = await client.models.list_for_user_async(security={"bearer": APP_KEY})
    assert listed is not None
    assert count.data.count == len(listed.result.data) > 0
    with pytest.raises(NotFoundResponseError, match="meta/large"):
        await client.models.get_async(author="meta", slug="large")


async def test_pages_of_models(client: OpenRouter) -> None:
    """A client that goes through pages, however short, comes to an end and sees each model once."""

    def read_all() -> list[str]:
        seen: list[str] = []
        answer = client.models.list(limit=1)
        while answer is not None:
            seen += [model.id for model in answer.result.data]
            following = answer.next()
            assert not isinstance(following, Awaitable)
            answer = following
        return seen

    seen = await asyncio.to_thread(read_all)
    assert len(seen) == len(set(seen)) == 3


async def test_generation(client: OpenRouter) -> None:
    """A record has every field of OpenRouter's schema, found by the id of the answer."""
    upstream_id = await ask(client, user="user_12345", session_id="s1")
    answer = await client.generations.get_generation_async(id=upstream_id)
    data = answer.data
    assert is_whole(data)
    assert (data.external_user, data.session_id) == ("user_12345", "s1")
    assert (data.upstream_id, data.id[:4]) == (upstream_id, "gen-")
    assert (data.provider_name, data.model, data.api_type) == ("a", MODEL, "completions")
    assert (data.finish_reason, data.streamed, data.cancelled) == ("stop", False, False)
    assert data.router is None
    again = await client.generations.get_generation_async(id=data.id)
    assert again == answer


async def test_generation_units(client: OpenRouter) -> None:
    """Money is USD, times are milliseconds, the moment is ISO 8601 with an offset."""
    before = datetime.now(UTC)
    data = (await client.generations.get_generation_async(id=await ask(client))).data
    prompt, completion = data.native_tokens_prompt or 0, data.native_tokens_completion or 0
    assert data.total_cost == data.usage == pytest.approx((prompt + 2 * completion) / 1_000_000)
    assert (data.tokens_prompt, data.tokens_completion) == (prompt, completion)
    created_at = datetime.fromisoformat(data.created_at)
    assert created_at.utcoffset() is not None
    assert 0 <= (created_at - before).total_seconds() < 30
    assert 0 <= (data.generation_time or 0) <= (data.latency or 0) < 30_000


async def test_generation_of_failed_attempts(
    http: aiohttp.ClientSession, world: ClientWorld, client: OpenRouter
) -> None:
    """A record lists each attempt; one that got no answer has no status."""
    world.provider.fail("refuse")
    with pytest.raises(BadGatewayResponseError):
        await ask(client, user="user_1")
    newest = await world.newest(http)
    data = (await client.generations.get_generation_async(id=newest["id"])).data
    [attempt] = data.provider_responses or []
    assert is_whole(data)
    assert (attempt.provider_name, attempt.status, attempt.is_byok) == ("a", None, False)
    assert (data.total_cost, data.native_tokens_prompt) == (0, 0)


async def test_generation_of_a_refusal(
    http: aiohttp.ClientSession, world: ClientWorld, client: OpenRouter
) -> None:
    """What was refused before anything was known of it has a record that validates all the same."""
    with pytest.raises(BadRequestResponseError):
        await ask(client, user="u\x07")
    newest = await world.newest(http)
    data = (await client.generations.get_generation_async(id=newest["id"])).data
    assert is_whole(data)
    assert (data.model, data.provider_name, data.provider_responses) == ("", None, [])


async def test_generation_errors(world: ClientWorld, client: OpenRouter) -> None:
    """No such record is 404, no id is 400, no key is 401: each the client's own class."""
    with pytest.raises(NotFoundResponseError, match="gen-0") as missing:
        await client.generations.get_generation_async(id="gen-0")
    with pytest.raises(BadRequestResponseError) as unnamed:
        await client.generations.get_generation_async(id="")
    async with openrouter_client(world, "sk-nobody") as nobody:
        with pytest.raises(UnauthorizedResponseError) as unknown:
            await nobody.generations.get_generation_async(id="gen-0")
    assert missing.value.data.error.code == 404
    assert metadata_of(missing.value) == {"error_type": "not_found"}
    assert metadata_of(unnamed.value) == {"error_type": "invalid_request"}
    assert metadata_of(unknown.value) == {"error_type": "authentication"}


async def test_activity_of_completed_days(client: OpenRouter, manager: OpenRouter) -> None:
    """Today is not a completed day, so a call just made is not in its rows, as at OpenRouter."""
    await ask(client)
    answer = await manager.analytics.get_user_activity_async()
    assert answer.data == []


async def test_activity_rows(
    http: aiohttp.ClientSession, world: ClientWorld, client: OpenRouter
) -> None:
    """A row has OpenRouter's fields and no other, in its types; `include_today` is ours."""
    await ask(client, user="user_1")
    record = await world.newest(http)
    async with http.get(
        f"{world.gateway.api}/activity?include_today=true",
        headers={"Authorization": f"Bearer {OPS_KEY}"},
    ) as response:
        (row,) = (await response.json())["data"]
    item = ActivityItem.model_validate(row, strict=True)
    assert row.keys() == item.model_dump(by_alias=True).keys()
    assert (item.date_, item.requests) == (record["created_at"][:10], 1)
    assert (item.model, item.model_permaslug, item.provider_name) == (MODEL, MODEL, "a")
    assert item.endpoint_id == record["provider_responses"][0]["endpoint_id"]
    assert (item.usage, item.byok_usage_inference) == (record["usage"], 0)
    assert item.prompt_tokens == record["native_tokens_prompt"]
    assert item.completion_tokens == record["native_tokens_completion"]
    assert item.reasoning_tokens == record["native_tokens_reasoning"]


async def test_activity_filters(manager: OpenRouter) -> None:
    """A day within the window and the hash of a key are taken as OpenRouter takes them."""
    yesterday = datetime.fromtimestamp(datetime.now(UTC).timestamp() - 86_400, UTC)
    answer = await manager.analytics.get_user_activity_async(
        request=GetUserActivityRequest(
            date_=yesterday.date().isoformat(),
            api_key_hash=sha256(APP_KEY.encode()).hexdigest(),
        )
    )
    assert answer.data == []


async def test_activity_errors(client: OpenRouter, manager: OpenRouter) -> None:
    """An app's key is 403; a day that is not completed is 400; both in OpenRouter's words."""
    with pytest.raises(ForbiddenResponseError) as foreign:
        await client.analytics.get_user_activity_async()
    today = datetime.now(UTC).date().isoformat()
    with pytest.raises(BadRequestResponseError) as early:
        await manager.analytics.get_user_activity_async(request=GetUserActivityRequest(date_=today))
    assert str(foreign.value) == "Only management keys can perform this operation"
    assert metadata_of(foreign.value) == {"error_type": "permission_denied"}
    assert str(early.value) == "Date must be within the last 30 (completed) UTC days"


async def test_enforced_user_ids(world: ClientWorld, client: OpenRouter) -> None:
    """A call without a user raises the client's own class for 422, and reaches no provider."""
    with pytest.raises(UnprocessableEntityResponseError) as caught:
        await ask(client, http_headers={"x-usagepanda-enforce-user-ids": "true"})
    error = caught.value
    assert str(error) == "Usage Panda: Config set to block requests without user field"
    assert (error.data.error.code, metadata_of(error)) == (422, {"error_type": "unprocessable"})
    assert error.headers["x-generation-id"].startswith("gen-")
    assert error.headers["access-control-allow-origin"] == "*"
    assert not world.provider.seen


async def test_chat_errors(world: ClientWorld, client: OpenRouter, manager: OpenRouter) -> None:
    """Each refusal of a call raises the client's own class, with the id of its record."""
    with pytest.raises(NotFoundResponseError) as unknown:
        await client.chat.send_async(model="gpt-9", messages=QUESTION)
    with pytest.raises(ForbiddenResponseError) as foreign:
        await ask(manager)
    async with openrouter_client(world, "sk-nobody") as nobody:
        with pytest.raises(UnauthorizedResponseError) as stranger:
            await ask(nobody)
    caught: list[OpenRouterError] = [unknown.value, foreign.value, stranger.value]
    kinds = [metadata_of(error)["error_type"] for error in caught]
    assert kinds == ["not_found", "permission_denied", "authentication"]
    assert all(error.headers["x-generation-id"].startswith("gen-") for error in caught)


async def test_unreachable_provider(world: ClientWorld, client: OpenRouter) -> None:
    """When no provider answers, the error's metadata lists the attempts."""
    world.provider.fail("refuse")
    with pytest.raises(BadGatewayResponseError) as caught:
        await ask(client)
    metadata = metadata_of(caught.value)
    assert metadata["error_type"] == "provider_unavailable"
    assert [attempt["provider"] for attempt in metadata["previous_errors"]] == ["a"]


async def test_analytics(client: OpenRouter, manager: OpenRouter) -> None:
    """Usage by end user, as the client asks for it, and what else can be asked."""
    await ask(client, user="user_1")
    meta = (await manager.analytics.get_analytics_meta_async()).data
    answer = await manager.analytics.query_analytics_async(
        metrics=["request_count", "tokens_total"], dimensions=["external_user"]
    )
    assert "external_user" in [each.name for each in meta.dimensions]
    assert (answer.data.metadata.row_count, answer.data.metadata.truncated) == (1, False)


async def test_embeddings(
    http: aiohttp.ClientSession, world: ClientWorld, client: OpenRouter
) -> None:
    """Embeddings validate, and their user is on record."""
    answer = await client.embeddings.generate_async(
        model=MODEL, input="rye", user="user_1", encoding_format="float"
    )
    record = await world.newest(http)
    assert not isinstance(answer, str)
    assert len(answer.data[0].embedding) == 256
    assert (record["api_type"], record["external_user"]) == ("embeddings", "user_1")
