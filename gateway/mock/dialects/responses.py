"""OpenAI's responses: platform.openai.com/docs/api-reference/responses."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import msgspec

from gateway.mock.exchange import Limit, Prompt, Reply
from gateway.mock.sse import named_event
from gateway.mock.transcript import Message, transcript


class _Request(msgspec.Struct):
    model: str
    input: str | list[Message]
    instructions: str | None = None
    stream: bool | None = None
    max_output_tokens: Limit | None = None
    tools: list[Any] | None = None


_decode = msgspec.json.Decoder(_Request).decode


def read(body: bytes) -> Prompt:
    request = _decode(body)
    asked = request.input
    messages = [{"role": "user", "content": asked}] if isinstance(asked, str) else asked
    return Prompt(
        model=request.model,
        text=transcript(messages, system=request.instructions, tools=request.tools),
        stream=request.stream is True,
        limit=request.max_output_tokens,
    )


def body(reply: Reply) -> dict[str, Any]:
    status = "completed" if reply.complete else "incomplete"
    reason = None if reply.complete else {"reason": "max_output_tokens"}
    return {
        **_opening(reply),
        "status": status,
        "completed_at": reply.created if reply.complete else None,
        "incomplete_details": reason,
        "output": [_message(reply, status, [_text_part(reply.text)])],
        "usage": _usage(reply),
    }


def events(reply: Reply) -> Iterator[bytes]:
    numbers = count()
    for event in _payloads(reply):
        yield named_event({**event, "sequence_number": next(numbers)})


def _payloads(reply: Reply) -> Iterator[dict[str, Any]]:
    answer = body(reply)
    [message] = answer["output"]
    at_item = {"output_index": 0}
    at_part = {**at_item, "content_index": 0, "item_id": message["id"]}
    yield {"type": "response.created", "response": _opening(reply)}
    yield {"type": "response.in_progress", "response": _opening(reply)}
    started = _message(reply, "in_progress", [])
    yield {"type": "response.output_item.added", **at_item, "item": started}
    yield {"type": "response.content_part.added", **at_part, "part": _text_part("")}
    for token in reply.tokens:
        yield {"type": "response.output_text.delta", **at_part, "delta": token, "logprobs": []}
    yield {"type": "response.output_text.done", **at_part, "text": reply.text, "logprobs": []}
    yield {"type": "response.content_part.done", **at_part, "part": _text_part(reply.text)}
    yield {"type": "response.output_item.done", **at_item, "item": message}
    yield {"type": f"response.{answer['status']}", "response": answer}


def _opening(reply: Reply) -> dict[str, Any]:
    """The response before anything was said. Both SDKs want the nulls spelled out."""
    return {
        "id": f"resp_{reply.id}",
        "object": "response",
        "created_at": reply.created,
        "completed_at": None,
        "status": "in_progress",
        "model": reply.model,
        "output": [],
        "usage": None,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "temperature": 1.0,
        "top_p": 1.0,
        "frequency_penalty": 0.0,
        "presence_penalty": 0.0,
    }


def _message(reply: Reply, status: str, content: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": f"msg_{reply.id}",
        "type": "message",
        "role": "assistant",
        "status": status,
        "content": content,
    }


def _text_part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _usage(reply: Reply) -> dict[str, Any]:
    return {
        "input_tokens": reply.prompt_tokens,
        "input_tokens_details": {
            "cached_tokens": reply.cached_tokens,
            "cache_write_tokens": reply.written_tokens,
        },
        "output_tokens": reply.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": reply.total_tokens,
    }
