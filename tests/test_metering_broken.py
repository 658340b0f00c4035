"""The official clients, reading a stream that broke off."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anthropic
import msgspec
import openai
import pytest

from gateway.calls.call import Call
from gateway.calls.endpoint import ENDPOINTS
from gateway.metering.broken import broken_stream_event
from gateway.metering.chat import ChatState
from gateway.metering.meter import open_meter
from gateway.metering.responses import ResponsesState
from gateway.metering.stream_state import OtherState

CHUNK = (
    b'data: {"id":"c-1","object":"chat.completion.chunk","created":17,"model":"m",'
    b'"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}\n\n'
)
START = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","type":"message",'
    b'"role":"assistant","content":[],"model":"c","stop_reason":null,"stop_sequence":null,'
    b'"usage":{"input_tokens":5,"output_tokens":1}}}\n\n'
)
CREATED = (
    b'event: response.created\ndata: {"type":"response.created","sequence_number":4,'
    b'"response":{"id":"resp_1","object":"response","model":"m","output":[]}}\n\n'
)


def broken(path: str, sent: bytes) -> bytes:
    """What a client gets of a stream that brought `sent` and died."""
    call = Call(endpoint=ENDPOINTS[path], tenant="t", stream=True, is_json=True, asks_usage=True)
    meter = open_meter(call, 200, [(b"content-type", b"text/event-stream")], b"")
    return meter.feed(sent) + meter.break_off("The provider died")


@asynccontextmanager
async def serving(stream: bytes) -> AsyncIterator[str]:
    """A server that answers one request with `stream`; its address."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = asked.partition(b"content-length:")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
        writer.write(head + stream)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"


async def read_chat(address: str) -> None:
    async with openai.AsyncOpenAI(api_key="k", base_url=address, max_retries=0) as client:
        stream = await client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": "Hi"}], stream=True
        )
        async for _ in stream:
            pass


async def read_completions(address: str) -> None:
    async with openai.AsyncOpenAI(api_key="k", base_url=address, max_retries=0) as client:
        stream = await client.completions.create(model="m", prompt="Hi", stream=True)
        async for _ in stream:
            pass


async def read_messages(address: str) -> None:
    async with anthropic.AsyncAnthropic(api_key="k", base_url=address, max_retries=0) as client:
        stream = await client.messages.create(
            model="c", max_tokens=5, messages=[{"role": "user", "content": "Hi"}], stream=True
        )
        async for _ in stream:
            pass


@pytest.mark.parametrize(
    ("path", "sent", "read", "error"),
    [
        ("chat/completions", CHUNK, read_chat, openai.APIError),
        ("completions", CHUNK, read_completions, openai.APIError),
        ("messages", START, read_messages, anthropic.APIStatusError),
    ],
)
async def test_the_official_client_raises(
    path: str, sent: bytes, read: Callable[[str], Awaitable[None]], error: type[Exception]
) -> None:
    """A client does not take half an answer for a whole one: it raises with our message."""
    async with serving(broken(path, sent)) as address:
        with pytest.raises(error, match="The provider died"):
            await read(address)


async def test_a_responses_client_gets_the_error_event() -> None:
    """The Responses API reports errors as events; the client hands it out as one."""
    async with (
        serving(broken("responses", CREATED)) as address,
        openai.AsyncOpenAI(api_key="k", base_url=address, max_retries=0) as client,
    ):
        stream = await client.responses.create(model="m", input="Hi", stream=True)
        events = [event async for event in stream]
    last = events[-1]
    assert last.type == "error"
    assert (last.message, last.sequence_number) == ("The provider died", 5)


def test_the_chat_chunk_fits_into_its_stream() -> None:
    """OpenRouter's shape, under the id, time and model of the chunks before it."""
    state = ChatState()
    state.add(CHUNK[6:-2])
    event = broken_stream_event("chat", "Oh", state)
    assert event.startswith(b"data: ")
    assert event.endswith(b"}\n\n")
    assert msgspec.json.decode(event[6:]) == {
        "id": "c-1",
        "object": "chat.completion.chunk",
        "created": 17,
        "model": "m",
        "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}],
        "error": {
            "code": 502,
            "message": "Oh",
            "metadata": {"error_type": "provider_unavailable"},
        },
    }


def test_what_is_not_known_is_left_out() -> None:
    """A stream that died before its first event has no id, time or model."""
    event = msgspec.json.decode(broken_stream_event("completions", "Oh", ChatState())[6:])
    assert event.keys() == {"object", "choices", "error"}
    assert event["choices"] == [{"index": 0, "text": "", "finish_reason": "error"}]


def test_responses_count_on() -> None:
    """The first event of a Responses stream has number 0."""
    event = broken_stream_event("responses", "Oh", ResponsesState())
    assert event.startswith(b"event: error\ndata: ")
    assert msgspec.json.decode(event[19:])["sequence_number"] == 0


def test_other_streams_get_the_bare_error() -> None:
    """Nothing is known of their events."""
    event = msgspec.json.decode(broken_stream_event("other", "Oh", OtherState())[6:])
    assert event.keys() == {"error"}
