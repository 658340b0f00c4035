"""Answers that decline: in every API, whole and streamed, with a good status and with a bad one."""

from typing import Any

import msgspec
import pytest

from gateway.calls.call import Call
from gateway.calls.endpoint import ENDPOINTS
from gateway.metering.meter import open_meter
from gateway.metering.refusal import flags_of_error

CONTENT_FILTER = "content_filter"


def reasons(path: str, answer: bytes, media_type: bytes, status: int = 200) -> list[str]:
    """What the flags of an answer say, which are all refusals."""
    call = Call(endpoint=ENDPOINTS[path], tenant="t", stream=True, asks_usage=True, is_json=True)
    meter = open_meter(call, status, [(b"content-type", media_type)], b"")
    assert meter.feed(answer) + meter.finish() == answer
    flags = meter.reading().flags
    assert {flag.type for flag in flags} <= {"provider_refusal"}
    return [flag.description.rpartition(": ")[2] for flag in flags]


def part(kind: str) -> dict[str, Any]:
    return {"output": [{"type": "reasoning"}, {"content": [{"type": kind, kind: "No."}]}]}


WHOLE = [
    ("chat/completions", {"choices": [{"finish_reason": CONTENT_FILTER}]}, [CONTENT_FILTER]),
    ("chat/completions", {"choices": [{"message": {"refusal": "No."}}]}, ["refusal"]),
    ("chat/completions", {"choices": [{"message": {"refusal": None, "content": "ok"}}]}, []),
    ("chat/completions", {"choices": [{"finish_reason": "stop"}]}, []),
    ("messages", {"stop_reason": "refusal"}, ["refusal"]),
    ("messages", {"stop_reason": "end_turn"}, []),
    ("responses", {"status": "completed", **part("refusal")}, ["refusal"]),
    ("responses", {"status": "completed", **part("output_text")}, []),
    ("responses", {"status": "completed", "output": [{"x": "refusal"}]}, []),
    ("responses", {"status": "completed", "output": {"x": "refusal"}}, []),
    (
        "responses",
        {"status": "incomplete", "incomplete_details": {"reason": CONTENT_FILTER}},
        [CONTENT_FILTER],
    ),
]


@pytest.mark.parametrize(("path", "answer", "found"), WHOLE)
def test_whole_answers(path: str, answer: dict[str, Any], found: list[str]) -> None:
    """The reason why it ended, or the text itself, says that the provider declined."""
    assert reasons(path, msgspec.json.encode(answer), b"application/json") == found


STREAMS = [
    (
        "chat/completions",
        [
            {"choices": [{"delta": {"content": "", "refusal": "No"}}]},
            {"choices": [{"delta": {}, "finish_reason": "stop"}]},
        ],
        ["refusal"],
    ),
    (
        "chat/completions",
        [{"choices": [{"delta": {"content": "Yes", "refusal": None}, "finish_reason": "stop"}]}],
        [],
    ),
    (
        "chat/completions",
        [{"choices": [{"delta": {}, "finish_reason": CONTENT_FILTER}]}],
        [CONTENT_FILTER],
    ),
    (
        "messages",
        [{"type": "message_delta", "delta": {"stop_reason": "refusal"}}, {"type": "message_stop"}],
        ["refusal"],
    ),
    (
        "responses",
        [{"type": "response.completed", "response": {"status": "completed", **part("refusal")}}],
        ["refusal"],
    ),
]


@pytest.mark.parametrize(("path", "events", "found"), STREAMS)
def test_streams(path: str, events: list[dict[str, Any]], found: list[str]) -> None:
    """Streams say it in their events."""
    raw = b"".join(b"data: " + msgspec.json.encode(event) + b"\n\n" for event in events)
    assert reasons(path, raw, b"text/event-stream") == found


ERRORS = [
    ({"code": "content_filter", "message": "m"}, ["content_filter"]),
    ({"code": "content_policy_violation"}, ["content_policy_violation"]),
    ({"code": 403, "metadata": {"reasons": ["violence", "hate"]}}, ["violence, hate"]),
    ({"code": 400, "metadata": {"error_type": "refusal"}}, ["refusal"]),
    ({"type": "api_error", "error_type": "content_policy_violation"}, ["content_policy_violation"]),
    ({"code": "rate_limit_exceeded", "metadata": {"reasons": []}}, []),
    ({"code": 503, "reasons": ["busy"], "metadata": {"error_type": "timeout"}}, []),
    ({"code": ["refusal"], "metadata": "refusal"}, []),
    ("content_filter", []),
]


@pytest.mark.parametrize("status", [400, 200])
@pytest.mark.parametrize(("error", "found"), ERRORS)
def test_errors(error: object, found: list[str], status: int) -> None:
    """Azure, OpenAI and OpenRouter refuse a prompt with an error of their own, OpenRouter under a
    successful status as well."""
    body = msgspec.json.encode({"error": error})
    assert reasons("chat/completions", body, b"application/json", status) == found
    in_choice = msgspec.json.encode({"choices": [{"finish_reason": "error", "error": error}]})
    assert reasons("chat/completions", in_choice, b"application/json", status) == found


@pytest.mark.parametrize(
    ("path", "event_type"),
    [
        ("chat/completions", None),
        ("completions", None),
        ("messages", "error"),
        ("responses", "error"),
        ("images/generations", "error"),
    ],
)
@pytest.mark.parametrize(("error", "found"), ERRORS)
def test_errors_in_mid_stream(
    path: str, event_type: str | None, error: object, found: list[str]
) -> None:
    """A filter that stops an answer halfway says so in an event, and flags its user as well."""
    event = msgspec.json.encode({"type": event_type, "error": error})
    assert reasons(path, b"data: %b\n\n" % event, b"text/event-stream") == found


def test_errors_of_a_response() -> None:
    """The Responses API has the code in the event itself, or in the response that failed."""
    error = {"code": "content_filter", "message": "No"}
    flat = {"type": "error", **error}
    failed = {"type": "response.failed", "response": {"status": "failed", "error": error}}
    for event in (flat, failed):
        raw = b"data: %b\n\n" % msgspec.json.encode(event)
        assert reasons("responses", raw, b"text/event-stream") == [CONTENT_FILTER]


def test_reasons_are_cut_to_what_a_record_has_room_for() -> None:
    """However many, however long, and whatever else is among them."""
    given: list[Any] = [["nested"], *["hate" * 1000] * 100]
    [reason] = flags_of_error({"metadata": {"reasons": given}})
    assert len(reason.description) < 2000
    assert "nested" not in reason.description
