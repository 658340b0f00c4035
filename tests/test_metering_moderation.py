"""What moderation says, of a call to `moderations` and within the answers to others."""

from typing import Any

import msgspec
import pytest
from openai.types.chat import chat_completion
from openai.types.responses import response

from gateway.calls.call import Call
from gateway.calls.endpoint import ENDPOINTS
from gateway.generation import Flag
from gateway.metering.meter import open_meter


def flags(path: str, answer: bytes, status: int = 200, media_type: str = "json") -> list[Flag]:
    call = Call(endpoint=ENDPOINTS[path], tenant="t")
    kind = {"json": b"application/json", "stream": b"text/event-stream"}[media_type]
    meter = open_meter(call, status, [(b"content-type", kind)], b"")
    assert meter.feed(answer) + meter.finish() == answer
    return list(meter.reading().flags)


def flag(text: str) -> Flag:
    return Flag("moderation", f"Moderation flagged this {text}")


def test_moderations() -> None:
    """Every category that any result has is named once; nothing flagged is no flag."""
    flagged = (
        b'{"results":[{"flagged":true,"categories":{"hate":true,"violence":false}},'
        b'{"flagged":true,"categories":{"hate":true,"sexual":true,"illicit":null}}]}'
    )
    assert flags("moderations", flagged) == [flag("input: hate, sexual")]
    assert flags("moderations", b'{"results":[{"flagged":false,"categories":{"a":true}}]}') == []


@pytest.mark.parametrize("answer", [b"{}", b'{"results":7}', b'{"error":{"message":"m"}}'])
def test_moderations_without_results(answer: bytes) -> None:
    """What is no verdict flags nobody."""
    assert flags("moderations", answer, 400) == []


def verdict(*categories: str) -> dict[str, Any]:
    """OpenAI's on one text; flagged where there are categories."""
    return {
        "type": "moderation_result",
        "model": "omni-moderation-latest",
        "flagged": bool(categories),
        "categories": {"sexual": False, **dict.fromkeys(categories, True)},
        "category_scores": {},
        "category_applied_input_types": {},
    }


def verdicts(*several: dict[str, Any]) -> dict[str, Any]:
    return {"type": "moderation_results", "model": "omni-moderation-latest", "results": several}


OF_A_CHAT = chat_completion.Moderation.model_validate(
    {"input": verdicts(verdict(), verdict("hate")), "output": verdicts(verdict("hate", "violence"))}
).model_dump(mode="json")
OF_A_RESPONSE = response.Moderation.model_validate(
    {
        "input": verdict("hate"),
        "output": {"type": "error", "code": "timeout", "message": "It took too long"},
    }
).model_dump(mode="json")


def test_a_moderation_that_was_asked_for_with_a_chat() -> None:
    """Input and output are flagged apart; a stream has both in an event of their own."""
    both = [flag("input: hate"), flag("output: hate, violence")]
    choice = {"delta": {"content": "Hi"}, "message": {"content": "Hi"}, "finish_reason": "stop"}
    said = {"id": "c", "model": "m", "choices": [choice], "moderation": None}
    answer = msgspec.json.encode({**said, "moderation": OF_A_CHAT})
    assert flags("chat/completions", answer) == both
    events = (said, {"id": "c", "model": "m", "choices": [], "moderation": OF_A_CHAT}, said)
    stream = b"".join(b"data: %b\n\n" % msgspec.json.encode(event) for event in events)
    assert flags("chat/completions", stream, media_type="stream") == both
    assert flags("chat/completions", msgspec.json.encode(said)) == []


def test_a_moderation_that_was_asked_for_with_a_response() -> None:
    """Its verdict is one result, and one that failed flags nobody; a refusal counts beside it."""
    part = {"type": "refusal", "refusal": "No."}
    answer = {"status": "completed", "moderation": OF_A_RESPONSE, "output": [{"content": [part]}]}
    ended = msgspec.json.encode({"type": "response.completed", "response": answer})
    whole = flags("responses", msgspec.json.encode(answer))
    assert [each.type for each in whole] == ["provider_refusal", "moderation"]
    assert whole[1] == flag("input: hate")
    assert flags("responses", b"data: %b\n\n" % ended, media_type="stream") == whole


@pytest.mark.parametrize(
    "moderation", [None, 5, [], {}, {"input": 7}, {"input": None}, {"input": {"results": "x"}}]
)
def test_what_is_no_moderation_flags_nobody(moderation: object) -> None:
    """Whatever stands there, the rest of the answer is read."""
    answer = {"choices": [{"finish_reason": "content_filter"}], "moderation": moderation}
    [refusal] = flags("chat/completions", msgspec.json.encode(answer))
    assert refusal.type == "provider_refusal"
