from typing import Any

import msgspec
import pytest

from gateway.generation import Usage
from gateway.metering.responses import ResponsesTally


def tally_of(*events: dict[str, Any]) -> ResponsesTally:
    tally = ResponsesTally()
    for event in events:
        assert not tally.add(msgspec.json.encode(event))
    return tally


def ended(how: str, **response: Any) -> dict[str, Any]:
    fields = {"id": "resp_1", "model": "m", "status": how, **response}
    return {"type": f"response.{how}", "sequence_number": 9, "response": fields}


COUNTS = {"input_tokens": 9, "output_tokens": 4}


def test_the_incomplete_reason_is_the_finish_reason() -> None:
    """A response that stopped early says why beside its status."""
    details = {"reason": "max_output_tokens"}
    tally = tally_of(ended("incomplete", incomplete_details=details, usage=COUNTS))
    assert (tally.finish_reason, tally.usage) == ("max_output_tokens", Usage(9, 4))
    assert tally.settled
    assert tally.counted


def test_a_failed_response_tells_its_error() -> None:
    """`response.failed` is terminal; without usage nothing was counted."""
    tally = tally_of(ended("failed", error={"code": "server_error", "message": "Oh"}, usage=None))
    assert (tally.error, tally.finish_reason, tally.counted) == ("Oh", "failed", False)
    assert tally.settled


@pytest.mark.parametrize("event_type", ["response.created", "response.in_progress"])
def test_a_response_under_way_introduces_itself(event_type: str) -> None:
    """Id and model are known from the first event on; nothing is settled by it."""
    tally = tally_of({"type": event_type, "response": {"id": "resp_1", "model": "m"}})
    assert (tally.upstream_id, tally.settled) == ("resp_1", False)


@pytest.mark.parametrize(
    ("event_type", "tokens"),
    [
        ("response.output_text.delta", 3),
        ("response.reasoning_summary_text.delta", 3),
        ("response.function_call_arguments.delta", 3),
        ("response.audio.delta", 0),
        ("response.output_text.done", 0),
    ],
)
def test_deltas_make_tokens(event_type: str, tokens: int) -> None:
    """Every kind of text counts once; sound is no text, and `done` repeats what was said."""
    assert tally_of({"type": event_type, "delta": "x" * 12}).tokens == tokens


@pytest.mark.parametrize(
    "event",
    [
        {"type": "error", "code": "server_error", "message": "Oh", "sequence_number": 3},
        {"type": "error", "error": {"message": "Oh"}, "sequence_number": 3},
    ],
)
def test_error_events(event: dict[str, Any]) -> None:
    """Both shapes in use; an error event is no terminal event."""
    tally = tally_of(event)
    assert (tally.error, tally.settled, tally.sequence_number) == ("Oh", False, 3)


def test_strange_events_are_passed_over() -> None:
    """Another type of type, of response, and what is no JSON."""
    tally = tally_of({"type": 5}, {"type": "response.completed", "response": 7}, {})
    assert not tally.add(b"{")
    assert not tally.settled
