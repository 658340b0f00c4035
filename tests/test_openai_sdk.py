"""OpenAI's Python client, unchanged but for its base_url, is served as by OpenAI."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletionMessageParam

from tests.parts.client_world import APP_KEY, MODEL, OLD_MODEL, OPS_KEY, ClientWorld
from tests.parts.strict_clients import strict_openai

QUESTION: list[ChatCompletionMessageParam] = [
    {"role": "user", "content": "What's the weather like today?"}
]
REFUSAL = (
    b'{"error":{"message":"Usage Panda: Config set to block requests without user field",'
    b'"type":"invalid_request","param":null,"code":null}}'
)
ENFORCE = {"x-usagepanda-enforce-user-ids": "true"}


@pytest.fixture
async def client(world: ClientWorld) -> AsyncIterator[AsyncOpenAI]:
    """OpenAI's client, which raises on any answer that differs from its types."""
    async with openai_client(world) as client:
        yield client


@pytest.fixture
async def lenient(world: ClientWorld) -> AsyncIterator[AsyncOpenAI]:
    """OpenAI's client as apps use it, for where its types deny what OpenAI's API really sends."""
    async with AsyncOpenAI(base_url=world.gateway.url, api_key=APP_KEY, max_retries=0) as client:
        yield client


def openai_client(world: ClientWorld, api_key: str = APP_KEY) -> AsyncOpenAI:
    return strict_openai(world.gateway.url, api_key)


def guide_example(base_url: str) -> str | None:
    """The user-tracking guide's Python example, word for word but for address, key and model."""
    with OpenAI(base_url=base_url, api_key=APP_KEY) as client:
        response = client.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": "What's the weather like today?"}],
            user="user_12345",
        )
        return response.choices[0].message.content


async def read_stream(client: AsyncOpenAI) -> tuple[str, openai.APIError | None]:
    """The words of a streamed answer to `QUESTION`, and the error that ended it, if one did."""
    text = ""
    stream = await client.chat.completions.create(model=MODEL, messages=QUESTION, stream=True)
    try:
        async for chunk in stream:
            text += chunk.choices[0].delta.content or ""
    except openai.APIError as error:
        return text, error
    return text, None


@pytest.mark.parametrize("prefix", ["/v1", "/api/v1"])
async def test_guide_example(http: aiohttp.ClientSession, world: ClientWorld, prefix: str) -> None:
    """The guide's example gets its answer from a blocking client, and its user is on record."""
    content = await asyncio.to_thread(guide_example, world.gateway.origin + prefix)
    record = await world.newest(http)
    assert content
    assert record["external_user"] == "user_12345"
    assert (record["model"], record["streamed"]) == (MODEL, False)


async def test_blocking_stream(world: ClientWorld, client: AsyncOpenAI) -> None:
    """A blocking client reads the same words from a stream as an asynchronous one."""

    def read() -> str:
        with OpenAI(base_url=world.gateway.url, api_key=APP_KEY) as blocking:
            stream = blocking.chat.completions.create(model=MODEL, messages=QUESTION, stream=True)
            return "".join(chunk.choices[0].delta.content or "" for chunk in stream)

    text = await asyncio.to_thread(read)
    assert text
    assert (text, None) == await read_stream(client)


async def test_raw_answer_names_its_record(
    http: aiohttp.ClientSession, world: ClientWorld, client: AsyncOpenAI
) -> None:
    """X-Generation-Id of an answer leads to a record with the answer's own id and usage."""
    raw = await client.chat.completions.with_raw_response.create(model=MODEL, messages=QUESTION)
    answer, record = raw.parse(), await world.record(http, raw.headers["x-generation-id"])
    assert answer.usage is not None
    assert (record["upstream_id"], record["finish_reason"]) == (answer.id, "stop")
    assert record["native_tokens_prompt"] == answer.usage.prompt_tokens
    assert record["native_tokens_completion"] == answer.usage.completion_tokens


async def test_stream_without_usage(
    http: aiohttp.ClientSession, world: ClientWorld, client: AsyncOpenAI
) -> None:
    """Usage nobody asked for is counted and not shown, not even as a null."""
    stream = await client.chat.completions.create(model=MODEL, messages=QUESTION, stream=True)
    chunks = [chunk async for chunk in stream]
    record = await world.newest(http)
    assert all(len(chunk.choices) == 1 for chunk in chunks)
    assert not any("usage" in chunk.model_fields_set for chunk in chunks)
    assert record["streamed"] is True
    assert record["native_tokens_completion"] == len(chunks) - 2  # less the first and last, empty


async def test_stream_with_usage(
    http: aiohttp.ClientSession, world: ClientWorld, client: AsyncOpenAI
) -> None:
    """Usage that was asked for comes once, in a last chunk without choices, as it is recorded."""
    stream = await client.chat.completions.create(
        model=MODEL, messages=QUESTION, stream=True, stream_options={"include_usage": True}
    )
    *chunks, last = [chunk async for chunk in stream]
    record = await world.newest(http)
    assert all(chunk.choices and chunk.usage is None for chunk in chunks)
    assert last.choices == []
    assert last.usage is not None
    assert last.usage.prompt_tokens == record["native_tokens_prompt"] > 0
    assert last.usage.completion_tokens == record["native_tokens_completion"] > 0


async def test_helicone_header_names_the_user(
    http: aiohttp.ClientSession, world: ClientWorld, client: AsyncOpenAI
) -> None:
    """Helicone-User-Id of a call, or of all of a client's calls, overrides the body's user."""
    each = {"Helicone-User-Id": "alicebob@gmail.com"}
    await client.chat.completions.create(
        model=MODEL, messages=QUESTION, user="someone else", extra_headers=each
    )
    first = await world.newest(http)
    always = client.with_options(default_headers={"Helicone-User-Id": "carol"}, timeout=60)
    await always.chat.completions.create(model=MODEL, messages=QUESTION, user="someone else")
    second = await world.newest(http)
    assert (first["external_user"], second["external_user"]) == ("alicebob@gmail.com", "carol")


async def test_responses(
    http: aiohttp.ClientSession, world: ClientWorld, client: AsyncOpenAI
) -> None:
    """A response has its text and usage; its safety_identifier is the user on record."""
    answer = await client.responses.create(model=MODEL, input="Warm?", safety_identifier="dora")
    record = await world.newest(http)
    assert answer.usage is not None
    assert answer.output_text
    assert (record["external_user"], record["upstream_id"]) == ("dora", answer.id)
    assert record["native_tokens_prompt"] == answer.usage.input_tokens
    assert record["native_tokens_completion"] == answer.usage.output_tokens


async def test_responses_stream(
    http: aiohttp.ClientSession, world: ClientWorld, client: AsyncOpenAI
) -> None:
    """A streamed response is assembled from its events to the same text, and counted alike."""
    whole = await client.responses.create(model=MODEL, input="Warm?")
    async with client.responses.stream(model=MODEL, input="Warm?") as stream:
        answer = await stream.get_final_response()
    record = await world.newest(http)
    assert answer.usage is not None
    assert answer.output_text == whole.output_text
    assert (record["streamed"], record["upstream_id"]) == (True, answer.id)
    assert record["native_tokens_completion"] == answer.usage.output_tokens


async def test_embeddings(
    http: aiohttp.ClientSession, world: ClientWorld, lenient: AsyncOpenAI
) -> None:
    """Embeddings arrive as numbers, one list an input, and count prompt tokens only."""
    answer = await lenient.embeddings.create(model=MODEL, input=["rye", "wheat"], user="emil")
    record = await world.newest(http)
    assert [len(each.embedding) for each in answer.data] == [256, 256]
    assert (record["api_type"], record["external_user"]) == ("embeddings", "emil")
    assert record["native_tokens_prompt"] == answer.usage.prompt_tokens > 0
    assert record["native_tokens_completion"] == 0


async def test_completions(
    http: aiohttp.ClientSession, world: ClientWorld, lenient: AsyncOpenAI
) -> None:
    """The completions of the older guides work whole and streamed, with the same words."""
    whole = await lenient.completions.create(model=OLD_MODEL, prompt="This is a test", max_tokens=5)
    stream = await lenient.completions.create(
        model=OLD_MODEL, prompt="This is a test", max_tokens=5, user="user123456", stream=True
    )
    text = "".join([chunk.choices[0].text async for chunk in stream])
    record = await world.newest(http)
    assert text == whole.choices[0].text
    assert whole.usage is not None
    assert (record["external_user"], record["finish_reason"]) == ("user123456", "length")
    assert record["native_tokens_completion"] == whole.usage.completion_tokens == 5


async def test_models(client: AsyncOpenAI) -> None:
    """The list of models is the configuration's; a single one is found or is a 404."""
    listed = [model.id async for model in client.models.list()]
    found = await client.models.retrieve(MODEL)
    with pytest.raises(openai.NotFoundError, match="gpt-9"):
        await client.models.retrieve("gpt-9")
    assert listed == [MODEL, "claude-haiku-4-5", OLD_MODEL]
    assert (found.id, found.owned_by) == (MODEL, "a")


async def test_enforced_user_ids(
    http: aiohttp.ClientSession, world: ClientWorld, lenient: AsyncOpenAI
) -> None:
    """A call without a user raises the guide's 422, byte for byte, and reaches no provider."""
    with pytest.raises(openai.UnprocessableEntityError) as caught:
        await lenient.completions.create(
            model=OLD_MODEL, prompt="Hello there", extra_headers=ENFORCE
        )
    error, record = caught.value, await world.newest(http)
    assert error.response.content == REFUSAL
    assert error.body == {
        "message": "Usage Panda: Config set to block requests without user field",
        "type": "invalid_request",
        "param": None,
        "code": None,
    }
    assert (error.type, error.param, error.code) == ("invalid_request", None, None)
    assert "Config set to block requests without user field" in error.message
    assert error.response.headers["access-control-allow-origin"] == "*"
    assert error.response.headers["x-generation-id"] == record["id"]
    assert [flag["type"] for flag in record["hearth"]["flags"]] == ["policy_enforce_user_ids"]
    assert not world.provider.seen


async def test_enforced_user_ids_are_satisfied(world: ClientWorld, client: AsyncOpenAI) -> None:
    """With a user in the body or in Helicone's header an enforced call goes through."""
    await client.chat.completions.create(
        model=MODEL, messages=QUESTION, user="user_1", extra_headers=ENFORCE
    )
    await client.chat.completions.create(
        model=MODEL, messages=QUESTION, extra_headers=ENFORCE | {"Helicone-User-Id": "user_1"}
    )
    assert len(world.provider.seen) == 2


async def test_broken_stream_raises(
    http: aiohttp.ClientSession, world: ClientWorld, client: AsyncOpenAI
) -> None:
    """A provider that dies mid-answer raises in the client's loop, after what it had said."""
    whole, _ = await read_stream(client)
    world.provider.fail("cut")
    words, error = await read_stream(client)
    record = await world.newest(http)
    assert words
    assert whole.startswith(words)
    assert error is not None
    assert "broke off" in error.message
    assert isinstance(error.body, dict)
    assert error.body["code"] == 502
    assert (record["hearth"]["outcome"], record["cancelled"]) == ("cut", False)


async def test_key_errors(world: ClientWorld) -> None:
    """An unknown key is AuthenticationError; a management key may not call models."""
    async with openai_client(world, "sk-nobody") as nobody, openai_client(world, OPS_KEY) as ops:
        with pytest.raises(openai.AuthenticationError) as unknown:
            await nobody.chat.completions.create(model=MODEL, messages=QUESTION)
        with pytest.raises(openai.PermissionDeniedError) as foreign:
            await ops.chat.completions.create(model=MODEL, messages=QUESTION)
    assert (unknown.value.code, unknown.value.type) == ("invalid_api_key", "authentication_error")
    assert foreign.value.code == "permission_denied"
    assert unknown.value.response.headers["x-generation-id"].startswith("gen-")


async def test_request_errors_name_the_field(client: AsyncOpenAI) -> None:
    """What is wrong with a request raises the class of its status, and says which field it is."""
    with pytest.raises(openai.NotFoundError) as unknown:
        await client.chat.completions.create(model="gpt-9", messages=QUESTION)
    with pytest.raises(openai.BadRequestError) as wrong:
        await client.chat.completions.create(
            model=MODEL, messages=QUESTION, extra_body={"user": 12345}
        )
    assert (unknown.value.code, unknown.value.param) == ("model_not_found", "model")
    assert (wrong.value.type, wrong.value.param) == ("invalid_request_error", "user")


async def test_unreachable_provider(world: ClientWorld, client: AsyncOpenAI) -> None:
    """When no provider answers, the error is a 502 that lists whom the gateway tried."""
    world.provider.fail("refuse")
    with pytest.raises(openai.InternalServerError) as caught:
        await client.chat.completions.create(model=MODEL, messages=QUESTION)
    assert (caught.value.status_code, caught.value.code) == (502, "provider_unavailable")
    assert "tried a (" in caught.value.message


async def test_provider_errors_pass(world: ClientWorld, client: AsyncOpenAI) -> None:
    """A provider's own error reaches the client as it is, with the id of its record."""
    world.provider.fail("429")
    with pytest.raises(openai.RateLimitError) as caught:
        await client.chat.completions.create(model=MODEL, messages=QUESTION)
    assert caught.value.code == "rate_limit_exceeded"
    assert caught.value.response.headers["retry-after"] == "1"
    assert caught.value.response.headers["x-generation-id"].startswith("gen-")
