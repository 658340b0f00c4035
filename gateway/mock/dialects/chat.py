"""OpenAI's chat completions: platform.openai.com/docs/api-reference/chat."""

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

from gateway.mock.exchange import Limit, Prompt, Reply
from gateway.mock.sse import data_event
from gateway.mock.transcript import Message, transcript


class StreamOptions(msgspec.Struct):
    """`stream_options` of a request."""

    include_usage: bool | None = None


class _Request(msgspec.Struct):
    model: str
    messages: Annotated[list[Message], msgspec.Meta(min_length=1)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Limit | None = None
    max_completion_tokens: Limit | None = None
    tools: list[Any] | None = None


_decode = msgspec.json.Decoder(_Request).decode


def read(body: bytes) -> Prompt:
    request = _decode(body)
    return Prompt(
        model=request.model,
        text=transcript(request.messages, tools=request.tools),
        stream=request.stream is True,
        asks_usage=bool(request.stream_options and request.stream_options.include_usage),
        limit=request.max_completion_tokens or request.max_tokens,
    )


def usage(reply: Reply) -> dict[str, Any]:
    """`usage` as chat and text completions count it."""
    return {
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.completion_tokens,
        "total_tokens": reply.total_tokens,
        "prompt_tokens_details": {
            "cached_tokens": reply.cached_tokens,
            "cache_write_tokens": reply.written_tokens,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def finish_reason(reply: Reply) -> str:
    return "stop" if reply.complete else "length"


def body(reply: Reply) -> dict[str, Any]:
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": reply.text, "refusal": None},
        "logprobs": None,
        "finish_reason": finish_reason(reply),
    }
    return {**_head(reply, "chat.completion"), "choices": [choice], "usage": usage(reply)}


def events(reply: Reply) -> Iterator[bytes]:
    yield _chunk(reply, {"role": "assistant", "content": "", "refusal": None})
    for token in reply.tokens:
        yield _chunk(reply, {"content": token})
    yield _chunk(reply, {}, finish_reason(reply))
    if reply.asks_usage:
        head = _head(reply, "chat.completion.chunk")
        yield data_event({**head, "choices": [], "usage": usage(reply)})
    yield b"data: [DONE]\n\n"


def _chunk(reply: Reply, delta: dict[str, Any], reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
    chunk = {**_head(reply, "chat.completion.chunk"), "choices": [choice]}
    # Who asked for usage gets the field in every chunk, null in all but the last.
    return data_event({**chunk, "usage": None} if reply.asks_usage else chunk)


def _head(reply: Reply, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{reply.id}",
        "object": kind,
        "created": reply.created,
        "model": reply.model,
        "service_tier": "default",
        "system_fingerprint": f"fp_{reply.provider}",
    }
