"""OpenAI's text completions: platform.openai.com/docs/api-reference/completions.

Several prompts in one request are read one after the other and answered by one choice.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from gateway.mock.dialects.chat import StreamOptions, finish_reason, usage
from gateway.mock.exchange import Limit, Prompt, Reply
from gateway.mock.sse import data_event
from gateway.mock.transcript import content_text


class _Request(msgspec.Struct):
    model: str
    prompt: str | list[Any]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Limit | None = None


_decode = msgspec.json.Decoder(_Request).decode


def read(body: bytes) -> Prompt:
    request = _decode(body)
    return Prompt(
        model=request.model,
        text=content_text(request.prompt),
        stream=request.stream is True,
        asks_usage=bool(request.stream_options and request.stream_options.include_usage),
        limit=request.max_tokens,
    )


def body(reply: Reply) -> dict[str, Any]:
    return {**_piece(reply, reply.text, finish_reason(reply)), "usage": usage(reply)}


def events(reply: Reply) -> Iterator[bytes]:
    absent = {"usage": None} if reply.asks_usage else {}
    for token in reply.tokens:
        yield data_event({**_piece(reply, token, None), **absent})
    yield data_event({**_piece(reply, "", finish_reason(reply)), **absent})
    if reply.asks_usage:
        yield data_event({**_piece(reply, "", None), "choices": [], "usage": usage(reply)})
    yield b"data: [DONE]\n\n"


def _piece(reply: Reply, text: str, reason: str | None) -> dict[str, Any]:
    choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": reason}
    return {
        "id": f"cmpl-{reply.id}",
        "object": "text_completion",
        "created": reply.created,
        "model": reply.model,
        "system_fingerprint": f"fp_{reply.provider}",
        "choices": [choice],
    }
