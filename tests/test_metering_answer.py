"""What is read out of an answer that comes as one JSON object."""

import gzip
import zlib
from typing import Any

import msgspec
import pytest
from openai.types.responses.response import (
    ToolUsage,
    ToolUsageImageGen,
    ToolUsageImageGenInputTokensDetails,
    ToolUsageWebSearch,
)

from gateway.calls.call import Call
from gateway.calls.endpoint import ENDPOINTS
from gateway.generation import Extras, Usage
from gateway.metering.base import Meter
from gateway.metering.encoding import MAX_READ
from gateway.metering.meter import open_meter
from gateway.metering.reading import Reading
from gateway.metering.refusal import REFUSALS

PROMPT = b"x, y" * 100
JSON = (b"content-type", b"application/json; charset=utf-8")
COUNTS = {"prompt_tokens": 9, "completion_tokens": 4, "cost": 0.00014}
CHAT = {
    "id": "chatcmpl-1",
    "model": "m-1",
    "choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}],
    "usage": COUNTS,
}
TOOL_USAGE = ToolUsage(
    image_gen=ToolUsageImageGen(
        input_tokens=0,
        input_tokens_details=ToolUsageImageGenInputTokensDetails(image_tokens=0, text_tokens=0),
        output_tokens=0,
        total_tokens=0,
    ),
    web_search=ToolUsageWebSearch(num_requests=2),
).model_dump(mode="json")


def open_answer(path: str = "chat/completions", status: int = 200, coding: bytes = b"") -> Meter:
    headers = [JSON, (b"content-encoding", coding)] if coding else [JSON]
    return open_meter(Call(endpoint=ENDPOINTS[path], tenant="t"), status, headers, PROMPT)


def read(answer: Any, path: str = "chat/completions", status: int = 200) -> Reading:
    meter, body = open_answer(path, status), msgspec.json.encode(answer)
    assert meter.feed(body[:5]) + meter.feed(body[5:]) + meter.finish() == body
    assert not meter.settled
    return meter.reading()


def test_chat() -> None:
    """Chat Completions: id, model, the first choice's finish reason, usage, cost."""
    assert read(CHAT) == Reading(
        usage=Usage(9, 4),
        upstream_id="chatcmpl-1",
        finish_reason="stop",
        cost=140_000,
    )


def test_service_tier() -> None:
    """Chat Completions and Responses: it stands beside the usage."""
    tier = "flex"
    assert read({**CHAT, "service_tier": tier}).usage == Usage(9, 4, service_tier=tier)
    counts = {"input_tokens": 9, "output_tokens": 4}
    answer = {"id": "r", "status": "completed", "usage": counts, "service_tier": tier}
    assert read(answer, "responses").usage == Usage(9, 4, service_tier=tier)


def test_texts_that_no_record_has_room_for() -> None:
    """A provider's id or reason of megabytes is none."""
    choice = {"message": {"content": "Hi"}, "finish_reason": "f" * 513}
    answer = {**CHAT, "id": "i" * 513, "choices": [choice]}
    assert read(answer) == Reading(usage=Usage(9, 4), cost=140_000)
    longest = {**CHAT, "id": "i" * 512}
    assert read(longest).upstream_id == "i" * 512


def test_messages() -> None:
    """Messages: `stop_reason`, and the cache beside the input."""
    usage = {"input_tokens": 1, "cache_read_input_tokens": 8, "output_tokens": 4}
    answer = {"id": "msg_1", "model": "c", "stop_reason": "max_tokens", "usage": usage}
    assert read(answer, "messages") == Reading(
        usage=Usage(9, 4, cached_tokens=8),
        upstream_id="msg_1",
        finish_reason="max_tokens",
    )


@pytest.mark.parametrize(
    ("status", "details", "reason"),
    [
        ("completed", None, "completed"),
        ("incomplete", {"reason": "content_filter"}, "content_filter"),
        ("incomplete", None, "incomplete"),
        ("queued", None, None),
    ],
)
def test_responses(status: str, details: Any, reason: str | None) -> None:
    """Responses: why it is incomplete, else its status, once it has ended."""
    counts = {"input_tokens": 9, "output_tokens": 4}
    answer = {"id": "r", "status": status, "incomplete_details": details, "error": None}
    reading = read({**answer, "usage": counts}, "responses")
    flags = REFUSALS.get(reason or "", ())
    assert reading == Reading(usage=Usage(9, 4), upstream_id="r", finish_reason=reason, flags=flags)


@pytest.mark.parametrize("tool_usage", [TOOL_USAGE, {"web_search": TOOL_USAGE["web_search"]}])
def test_searches_of_a_response(tool_usage: Any) -> None:
    """Responses: they stand beside the usage (openai `types/responses/response.py`)."""
    counts = {"input_tokens": 9, "output_tokens": 4}
    answer = {"id": "r", "status": "completed", "usage": counts, "tool_usage": tool_usage}
    assert read(answer, "responses").usage == Usage(9, 4, extras=Extras(web_searches=2))


@pytest.mark.parametrize("tool_usage", [None, [], {}, {"web_search": {"num_requests": 0}}, "no"])
def test_a_response_without_searches(tool_usage: Any) -> None:
    """None, or another shape: the rest is read as ever."""
    counts = {"input_tokens": 9, "output_tokens": 4}
    answer = {"id": "r", "status": "completed", "usage": counts, "tool_usage": tool_usage}
    assert read(answer, "responses").usage == Usage(9, 4)


@pytest.mark.parametrize("status", ["queued", "in_progress"])
def test_a_response_in_the_background_has_said_nothing(status: str) -> None:
    """What is answered at once is a receipt; its length is no completion."""
    answer = {"id": "r", "status": status, "background": True, "output": [], "usage": None}
    reading = read(answer, "responses")
    assert reading == Reading(usage=Usage(100, 0, estimated=True), upstream_id="r")
    assert read({**answer, "status": ["queued"]}, "responses").usage.completion_tokens


def test_images() -> None:
    """An image's tokens count when the API says them, and are not guessed when not."""
    counts = {"input_tokens": 50, "output_tokens": 4160}
    assert read({"data": [], "usage": counts}, "images/generations").usage == Usage(50, 4160)
    assert read({"data": []}, "images/generations").usage == Usage()


@pytest.mark.parametrize("usage", [None, "none", {}, {"prompt_tokens": "many"}])
def test_an_answer_without_usage_is_estimated(usage: Any) -> None:
    """A generating API's answer has tokens, by the length of both bodies."""
    answer = {"id": "a", "choices": [], "usage": usage}
    length = len(msgspec.json.encode(answer))
    assert read(answer) == Reading(usage=Usage(100, length // 4, estimated=True), upstream_id="a")


def test_embeddings_without_usage_have_a_prompt_only() -> None:
    """Vectors are no completion tokens."""
    assert read({"data": [[0.1] * 100]}, "embeddings").usage == Usage(100, estimated=True)


def test_explicit_zeros_stay() -> None:
    """Zero tokens and zero cost are what the upstream said, so no estimate takes their place."""
    counts = {"prompt_tokens": 0, "completion_tokens": 0, "cost": 0}
    reading = read({"usage": counts})
    assert (reading.usage, reading.cost) == (Usage(), 0)


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "Slow down", "type": "requests", "param": None, "code": None}},
        {"type": "error", "error": {"type": "rate_limit_error", "message": "Slow down"}},
        {"error": {"code": 429, "message": "Slow down", "metadata": {}}, "user_id": None},
        {"error": "Slow down"},
        {"detail": "Slow down"},
        {"detail": [{"loc": ["body"], "msg": "Slow down"}]},
        {"message": "Slow down"},
    ],
)
def test_error_bodies(body: Any) -> None:
    """OpenAI's, Anthropic's, OpenRouter's and FastAPI's envelopes; an error costs no tokens."""
    assert read(body, status=429) == Reading(error="Slow down")


def test_an_error_under_a_successful_status() -> None:
    """OpenRouter answers 200 when the provider failed after it had begun."""
    body = {"error": {"code": 502, "message": "Oh"}, "message": "not an error"}
    assert read(body).error == "Oh"
    choice = {"finish_reason": "error", "error": {"code": 502, "message": "Oh"}}
    assert read({"choices": [choice], "usage": COUNTS}).error == "Oh"
    assert read({"message": "not an error", "usage": COUNTS}).error is None


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": 502, "message": "Oh"}},
        {"choices": [{"finish_reason": "error", "error": {"code": 502, "message": "Oh"}}]},
        {"status": "failed", "error": {"code": "server_error", "message": "Oh"}, "usage": None},
    ],
)
def test_an_error_in_the_place_of_an_answer_used_nothing(body: Any) -> None:
    """Nobody bills for it, unless there are counts in it; its text is no completion."""
    assert read(body, "responses").usage == Usage()
    counted = {**body, "usage": {"prompt_tokens": 9, "completion_tokens": 4}}
    assert read(counted, "responses").usage == Usage(9, 4)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"<html>", b'{"id":"\xff"}', b'{"x":' + b"[" * 9999]
)
def test_what_is_not_json_is_estimated(body: bytes) -> None:
    """A body that cannot be read does no harm; it counts by its length."""
    meter = open_answer()
    meter.feed(body)
    meter.finish()
    tokens = max(1, len(body) // 4) if body else 0
    assert meter.reading() == Reading(usage=Usage(100, tokens, estimated=True))


def test_an_answer_that_broke_off_is_estimated() -> None:
    """A JSON body is read when it is complete, and not before; nothing can be added to it."""
    meter, body = open_answer(), msgspec.json.encode(CHAT)
    meter.feed(body)
    assert meter.break_off("gone") == b""
    assert meter.reading() == Reading(usage=Usage(100, len(body) // 4, estimated=True))


@pytest.mark.parametrize(
    ("coding", "compress"), [(b"gzip", gzip.compress), (b"deflate", zlib.compress)]
)
def test_compressed_bodies_are_read_and_not_changed(coding: bytes, compress: Any) -> None:
    """The client gets the bytes as they came; a copy is decompressed for reading."""
    meter, body = open_answer(coding=coding), compress(msgspec.json.encode(CHAT))
    assert meter.feed(body) == body
    assert meter.finish() == b""
    assert meter.reading().usage == Usage(9, 4)


def test_a_bomb_is_not_read() -> None:
    """A body that decompresses to more than the limit counts by the length it came in."""
    meter, bomb = open_answer(coding=b"gzip"), gzip.compress(b" " * (MAX_READ + 1), 1)
    meter.feed(bomb)
    meter.finish()
    assert meter.reading().usage == Usage(100, len(bomb) // 4, estimated=True)


def test_a_body_over_the_limit_passes_unread() -> None:
    """No more than the limit is kept, however long the answer is."""
    meter, piece = open_answer(), b" " * (MAX_READ // 2)
    assert all(meter.feed(piece) is piece for _ in range(3))
    meter.feed(msgspec.json.encode(CHAT))
    meter.finish()
    assert meter.reading().usage.estimated
