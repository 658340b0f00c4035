"""Anthropic's messages: docs.anthropic.com/en/api/messages and .../messages-streaming.

Prompts are cached only on request, by a `cache_control` anywhere in the body, and `input_tokens`
counts what was neither read from the cache nor written to it.
"""

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

from gateway.mock.exchange import Limit, Prompt, Reply
from gateway.mock.sse import named_event
from gateway.mock.transcript import Message, transcript


class _Request(msgspec.Struct):
    model: str
    max_tokens: Limit
    messages: Annotated[list[Message], msgspec.Meta(min_length=1)]
    system: str | list[Message] | None = None
    tools: list[Any] | None = None
    stream: bool | None = None


_decode = msgspec.json.Decoder(_Request).decode


def read(body: bytes) -> Prompt:
    request = _decode(body)
    return Prompt(
        model=request.model,
        text=transcript(request.messages, system=request.system, tools=request.tools),
        stream=request.stream is True,
        limit=request.max_tokens,
        caches=b'"cache_control"' in body,
    )


def body(reply: Reply) -> dict[str, Any]:
    return {
        **_opening(reply),
        "content": [{"type": "text", "text": reply.text}],
        "stop_reason": _stop_reason(reply),
        "usage": _usage(reply, reply.completion_tokens),
    }


def events(reply: Reply) -> Iterator[bytes]:
    yield named_event({"type": "message_start", "message": _opening(reply)})
    block = {"type": "text", "text": ""}
    yield named_event({"type": "content_block_start", "index": 0, "content_block": block})
    yield named_event({"type": "ping"})
    for token in reply.tokens:
        delta = {"type": "text_delta", "text": token}
        yield named_event({"type": "content_block_delta", "index": 0, "delta": delta})
    yield named_event({"type": "content_block_stop", "index": 0})
    end = {"stop_reason": _stop_reason(reply), "stop_sequence": None}
    usage = _usage(reply, reply.completion_tokens)
    yield named_event({"type": "message_delta", "delta": end, "usage": usage})
    yield named_event({"type": "message_stop"})


def _opening(reply: Reply) -> dict[str, Any]:
    """The message before anything was said; one output token is counted from the start."""
    return {
        "id": f"msg_{reply.id}",
        "type": "message",
        "role": "assistant",
        "model": reply.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": _usage(reply, 1),
    }


def _stop_reason(reply: Reply) -> str:
    return "end_turn" if reply.complete else "max_tokens"


def _usage(reply: Reply, output_tokens: int) -> dict[str, Any]:
    return {
        "input_tokens": reply.prompt_tokens - reply.cached_tokens - reply.written_tokens,
        "cache_read_input_tokens": reply.cached_tokens,
        "cache_creation_input_tokens": reply.written_tokens,
        "output_tokens": output_tokens,
    }
