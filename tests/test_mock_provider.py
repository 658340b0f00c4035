"""The mock provider is taken for a real one by the vendors' own clients."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import anthropic
import openai
import pytest
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI
from openai.types import ModerationTextInputParam
from openai.types.chat import ChatCompletionMessageParam
from openrouter import OpenRouter

from gateway.mock.dialects.moderations import MARKER
from gateway.mock.running import RunningProvider, running_provider
from gateway.mock.settings import MockSettings
from tests.parts.clock import Clock
from tests.parts.strict_clients import strict_claude, strict_openai

MODEL = "gpt-4o-mini"
QUESTION: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Is the oven warm?"}]
LONG: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Keep the fire. " * 400}]
LONG_TOKENS = (len("user: \n") + 400 * len("Keep the fire. ")) // 4 + 1


@pytest.fixture
async def provider(clock: Clock) -> AsyncIterator[RunningProvider]:
    async with running_provider(MockSettings(), clock=clock) as provider:
        yield provider


@pytest.fixture
async def client(provider: RunningProvider) -> AsyncIterator[AsyncOpenAI]:
    """OpenAI's client, which raises on any answer that differs from its types."""
    async with strict_openai(provider.url) as client:
        yield client


@pytest.fixture
async def lenient(provider: RunningProvider) -> AsyncIterator[AsyncOpenAI]:
    """OpenAI's client as apps use it, for where its types deny what OpenAI's API really sends."""
    async with AsyncOpenAI(base_url=provider.url, api_key="k", max_retries=0) as client:
        yield client


@pytest.fixture
async def claude(provider: RunningProvider) -> AsyncIterator[AsyncAnthropic]:
    """Anthropic's client, as strict."""
    async with strict_claude(provider.origin) as client:
        yield client


async def stream_events(
    http: aiohttp.ClientSession, provider: RunningProvider, path: str, body: dict[str, Any]
) -> list[bytes]:
    """The events of a streamed answer, as they came over the wire."""
    async with http.post(f"{provider.url}/{path}", json={**body, "stream": True}) as response:
        assert response.content_type == "text/event-stream"
        return (await response.read()).split(b"\n\n")[:-1]


async def test_chat_answers(client: AsyncOpenAI, clock: Clock) -> None:
    """A chat completion passes OpenAI's own types, and its usage is that of its text."""
    answer = await client.chat.completions.create(model="some-model", messages=QUESTION)
    text = answer.choices[0].message.content
    assert text
    assert answer.model == "some-model"
    assert answer.created == clock.now
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == -(-len("user: Is the oven warm?\n") // 4)
    assert answer.usage.completion_tokens == -(-len(text) // 4)
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


async def test_chat_streams_the_same_answer(client: AsyncOpenAI) -> None:
    """The same request yields the same text and usage at once and as a stream."""
    whole = await client.chat.completions.create(model=MODEL, messages=QUESTION)
    stream = await client.chat.completions.create(
        model=MODEL, messages=QUESTION, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    *pieces, last = chunks
    text = "".join(chunk.choices[0].delta.content or "" for chunk in pieces)
    assert text == whole.choices[0].message.content
    assert pieces[0].choices[0].delta.role == "assistant"
    assert pieces[-1].choices[0].finish_reason == "stop"
    assert last.choices == []
    assert last.usage == whole.usage


async def test_usage_is_null_until_the_last_chunk(
    http: aiohttp.ClientSession, provider: RunningProvider
) -> None:
    """Who asks for usage gets `usage: null` in every chunk before the one that has it."""
    body = {"model": MODEL, "messages": QUESTION, "stream_options": {"include_usage": True}}
    *pieces, usage, done = await stream_events(http, provider, "chat/completions", body)
    assert done == b"data: [DONE]"
    assert all(b'"usage":null' in piece for piece in pieces)
    assert b'"choices":[],"usage":{"prompt_tokens"' in usage


@pytest.mark.parametrize("path", ["chat/completions", "completions"])
async def test_usage_is_absent_unless_asked_for(
    http: aiohttp.ClientSession, provider: RunningProvider, path: str
) -> None:
    """Without `include_usage` no chunk has the field, and the stream still ends with [DONE]."""
    body = {"model": MODEL, "messages": QUESTION, "prompt": "Is the oven warm?"}
    *pieces, done = await stream_events(http, provider, path, body)
    assert done == b"data: [DONE]"
    assert all(b'"usage"' not in piece for piece in pieces)


async def test_an_answer_stops_at_its_limit(client: AsyncOpenAI) -> None:
    """`max_tokens` cuts the text and says so."""
    answer = await client.chat.completions.create(model=MODEL, messages=QUESTION, max_tokens=5)
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 5
    assert answer.choices[0].finish_reason == "length"


async def test_different_prompts_get_different_answers(client: AsyncOpenAI) -> None:
    """The text depends on the prompt and on nothing else."""
    texts = [
        (
            await client.chat.completions.create(
                model=model, messages=[{"role": "user", "content": content}]
            )
        )
        .choices[0]
        .message.content
        for model, content in (("a", "rye?"), ("b", "rye?"), ("a", "wheat?"))
    ]
    assert texts[0] == texts[1] != texts[2]


async def test_completions_answer_and_stream(client: AsyncOpenAI, lenient: AsyncOpenAI) -> None:
    """A text completion is the same at once and as a stream."""
    whole = await client.completions.create(model=MODEL, prompt="Is the oven warm?")
    stream = await lenient.completions.create(
        model=MODEL,
        prompt="Is the oven warm?",
        stream=True,
        stream_options={"include_usage": True},
    )
    *pieces, last = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].text for chunk in pieces) == whole.choices[0].text
    assert last.choices == []
    assert last.usage == whole.usage is not None


async def test_responses_answer(client: AsyncOpenAI) -> None:
    """A response passes OpenAI's own types, with its usage under its own names."""
    answer = await client.responses.create(model=MODEL, instructions="Be brief.", input="Warm?")
    assert answer.status == "completed"
    assert answer.usage is not None
    assert answer.usage.input_tokens == -(-len("system: Be brief.\nuser: Warm?\n") // 4)
    assert answer.usage.output_tokens == -(-len(answer.output_text) // 4)


async def test_responses_stream_the_same_answer(client: AsyncOpenAI) -> None:
    """Events come in OpenAI's order, numbered without gaps; the last one holds the whole answer."""
    whole = await client.responses.create(model=MODEL, input="Warm?")
    stream = await client.responses.create(model=MODEL, input="Warm?", stream=True)
    events = [event async for event in stream]
    kinds = [event.type for event in events]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert kinds[:4] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
    ]
    assert set(kinds[4:-4]) == {"response.output_text.delta"}
    assert kinds[-4:-1] == [
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
    ]
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    last = events[-1]
    assert last.type == "response.completed"
    assert text == last.response.output_text == whole.output_text
    assert last.response.usage == whole.usage


async def test_a_response_that_met_its_limit_is_incomplete(client: AsyncOpenAI) -> None:
    """The status, the reason and the last event all say so."""
    stream = await client.responses.create(
        model=MODEL, input="Warm?", max_output_tokens=3, stream=True
    )
    last = [event async for event in stream][-1]
    assert last.type == "response.incomplete"
    assert last.response.status == "incomplete"
    assert last.response.incomplete_details is not None
    assert last.response.incomplete_details.reason == "max_output_tokens"


async def test_a_prompt_is_cached_until_it_rests_too_long(
    client: AsyncOpenAI, clock: Clock
) -> None:
    """The second request reads what the first one wrote, in steps of 128; later it is gone."""
    cached = []
    for pause in (0, 0, 301):
        clock.now += pause
        answer = await client.chat.completions.create(model=MODEL, messages=LONG)
        assert answer.usage is not None
        assert answer.usage.prompt_tokens == LONG_TOKENS
        assert answer.usage.prompt_tokens_details is not None
        cached.append(answer.usage.prompt_tokens_details.cached_tokens)
    assert cached == [0, LONG_TOKENS // 128 * 128, 0]


async def test_all_openai_apis_report_the_cache(client: AsyncOpenAI) -> None:
    """Responses say under `input_tokens_details` what chat says under `prompt_tokens_details`."""
    for expected in (0, 1408):
        answer = await client.responses.create(model=MODEL, input="Keep the fire. " * 400)
        assert answer.usage is not None
        assert answer.usage.input_tokens_details.cached_tokens == expected
        assert answer.usage.input_tokens_details.cache_write_tokens == 1408 - expected


async def test_each_provider_has_a_cache_of_its_own(client: AsyncOpenAI) -> None:
    """A prompt that is warm here is cold next door: what sticky routing is about."""
    await client.chat.completions.create(model=MODEL, messages=LONG)
    async with running_provider(MockSettings()) as other, strict_openai(other.url) as elsewhere:
        answer = await elsewhere.chat.completions.create(model=MODEL, messages=LONG)
    assert answer.usage is not None
    assert answer.usage.prompt_tokens_details is not None
    assert answer.usage.prompt_tokens_details.cached_tokens == 0


async def test_embeddings_come_in_both_encodings(client: AsyncOpenAI, lenient: AsyncOpenAI) -> None:
    """Vectors have length 1, follow from the text, and are the same as floats and in base64."""
    floats = await client.embeddings.create(
        model="embed", input=["rye", "wheat"], encoding_format="float", dimensions=64
    )
    packed = await lenient.embeddings.create(model="embed", input=["rye", "wheat"], dimensions=64)
    rye, wheat = (item.embedding for item in floats.data)
    assert [item.embedding for item in packed.data] == [pytest.approx(rye), pytest.approx(wheat)]
    assert len(rye) == 64
    assert sum(value * value for value in rye) == pytest.approx(1)
    assert rye != wheat
    assert floats.usage.prompt_tokens == floats.usage.total_tokens == 3


async def test_token_lists_are_one_input_each(lenient: AsyncOpenAI) -> None:
    """A list of numbers is one text, a list of such lists several."""
    one = await lenient.embeddings.create(model="embed", input=[1, 2, 3])
    two = await lenient.embeddings.create(model="embed", input=[[1, 2, 3], [4]])
    assert (len(one.data), one.usage.prompt_tokens) == (1, 3)
    assert (len(two.data), two.usage.prompt_tokens) == (2, 4)


async def test_moderation_flags_the_marker(client: AsyncOpenAI) -> None:
    """Each text gets its own verdict; the parts of one input share one."""
    several = await client.moderations.create(input=["bread", f"plain {MARKER.upper()}!"])
    assert [result.flagged for result in several.results] == [False, True]
    assert several.results[1].categories.violence
    assert not several.results[1].categories.hate
    parts: list[ModerationTextInputParam] = [
        {"type": "text", "text": "bread"},
        {"type": "text", "text": MARKER},
    ]
    together = await client.moderations.create(input=parts)
    assert [result.flagged for result in together.results] == [True]


async def test_models_are_listed(client: AsyncOpenAI) -> None:
    """The list is the one in the settings."""
    assert [model.id async for model in client.models.list()] == list(MockSettings().models)


async def test_openrouters_client_understands_it(provider: RunningProvider) -> None:
    """OpenRouter's SDK, which validates everything, reads answer and stream."""
    async with OpenRouter(api_key="k", server_url=provider.url) as client:
        answer = await client.chat.send_async(
            model=MODEL, messages=[{"role": "user", "content": "Warm?"}]
        )
        stream = await client.chat.send_async(
            model=MODEL, messages=[{"role": "user", "content": "Warm?"}], stream=True
        )
        deltas = [choice.delta.content async for chunk in stream for choice in chunk.choices]
        response = await client.beta.responses.send_async(model=MODEL, input="Warm?")
    assert "".join(delta for delta in deltas if isinstance(delta, str)) == (
        answer.choices[0].message.content
    )
    assert response.status == "completed"


async def test_a_request_without_messages_is_refused(
    client: AsyncOpenAI, claude: AsyncAnthropic
) -> None:
    """400 in the shape of the API that was called, naming what is missing."""
    with pytest.raises(openai.BadRequestError, match="messages") as refused:
        await client.post("/chat/completions", body={"model": MODEL}, cast_to=object)
    assert refused.value.type == "invalid_request_error"
    with pytest.raises(anthropic.BadRequestError, match="max_tokens") as turned_away:
        await claude.post("/v1/messages", body={"model": MODEL}, cast_to=object)
    assert turned_away.value.body == {
        "type": "error",
        "error": {
            "type": "invalid_request_error",
            "message": "Object missing required field `max_tokens`",
        },
    }


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"\xff"', b'{"model": 1, "messages": []}'])
async def test_what_is_no_request_is_refused(
    http: aiohttp.ClientSession, provider: RunningProvider, body: bytes
) -> None:
    """Broken JSON, bytes that are no text, and wrong types all are 400."""
    async with http.post(f"{provider.url}/chat/completions", data=body) as response:
        assert response.status == 400
        assert set((await response.json())["error"]) == {"message", "type", "param", "code"}


async def test_an_unknown_path_is_not_found(client: AsyncOpenAI) -> None:
    """404 with an error body, for the method as well as for the path."""
    with pytest.raises(openai.NotFoundError, match="GET /v1/chat/completions"):
        await client.get("/chat/completions", cast_to=object)


async def test_a_key_is_required_when_set() -> None:
    """The right key passes as Bearer or as x-api-key, any other is 401."""
    async with running_provider(MockSettings(api_key="sk-warm")) as provider:
        async with strict_openai(provider.url, "sk-warm") as client:
            assert (await client.models.list()).data
        async with strict_openai(provider.url, "sk-cold") as client:
            with pytest.raises(openai.AuthenticationError):
                await client.models.list()
        async with AsyncAnthropic(base_url=provider.origin, api_key="sk-warm") as claude:
            answer = await claude.messages.create(
                model="claude", max_tokens=5, messages=[{"role": "user", "content": "Warm?"}]
            )
            assert answer.usage.output_tokens == 5


async def test_a_status_fault_is_an_error_answer(
    provider: RunningProvider, client: AsyncOpenAI, claude: AsyncAnthropic
) -> None:
    """It comes in the called API's shape, says when to come back, and ends when told to."""
    provider.fail("429")
    with pytest.raises(openai.RateLimitError) as limited:
        await client.models.list()
    assert limited.value.response.headers["retry-after"] == "1"
    provider.fail("529")
    with pytest.raises(anthropic.APIStatusError, match="overloaded_error"):
        await claude.messages.create(
            model="claude", max_tokens=5, messages=[{"role": "user", "content": "Warm?"}]
        )
    provider.fail("")
    assert (await client.models.list()).data
