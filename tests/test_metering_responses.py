"""What is read out of the events of a Responses stream."""

from typing import Any

import msgspec
import pytest

from gateway.generation import Extras, Usage
from gateway.metering.responses import ResponsesState


def state_of(*events: dict[str, Any]) -> ResponsesState:
    state = ResponsesState()
    for event in events:
        assert not state.add(msgspec.json.encode(event))
    return state


def ended(how: str, **response: Any) -> dict[str, Any]:
    fields = {"id": "resp_1", "model": "m", "status": how, **response}
    return {"type": f"response.{how}", "sequence_number": 9, "response": fields}


COUNTS = {"input_tokens": 9, "output_tokens": 4}


def test_the_incomplete_reason_is_the_finish_reason() -> None:
    """A response that stopped early says why beside its status."""
    details = {"reason": "max_output_tokens"}
    state = state_of(ended("incomplete", incomplete_details=details, usage=COUNTS))
    assert (state.finish_reason, state.usage) == ("max_output_tokens", Usage(9, 4))
    assert state.settled
    assert state.counted


def test_searches_are_beside_the_usage() -> None:
    """They come with the response itself, once it has ended."""
    tool_usage = {"image_gen": {"input_tokens": 0}, "web_search": {"num_requests": 2}}
    state = state_of(ended("completed", usage=COUNTS, tool_usage=tool_usage))
    assert state.usage == Usage(9, 4, extras=Extras(web_searches=2))


def test_the_service_tier_is_beside_the_usage() -> None:
    """The one that was used comes with the response once it has ended; before, it is `auto`."""
    began = {"type": "response.created", "response": {"id": "resp_1", "service_tier": "auto"}}
    state = state_of(began, ended("completed", usage=COUNTS, service_tier="flex"))
    assert state.usage == Usage(9, 4, service_tier="flex")


def test_a_failed_response_tells_its_error() -> None:
    """`response.failed` is terminal; without usage nothing was counted."""
    state = state_of(ended("failed", error={"code": "server_error", "message": "Oh"}, usage=None))
    assert (state.error, state.finish_reason, state.counted) == ("Oh", "failed", False)
    assert state.settled


@pytest.mark.parametrize("event_type", ["response.created", "response.in_progress"])
def test_a_response_under_way_introduces_itself(event_type: str) -> None:
    """Id and model are known from the first event on; nothing is settled by it."""
    state = state_of({"type": event_type, "response": {"id": "resp_1", "model": "m"}})
    assert (state.upstream_id, state.settled) == ("resp_1", False)


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
    assert state_of({"type": event_type, "delta": "x" * 12}).tokens == tokens


@pytest.mark.parametrize(
    "event",
    [
        {"type": "error", "code": "server_error", "message": "Oh", "sequence_number": 3},
        {"type": "error", "error": {"message": "Oh"}, "sequence_number": 3},
    ],
)
def test_error_events(event: dict[str, Any]) -> None:
    """Both shapes in use; an error event is no terminal event."""
    state = state_of(event)
    assert (state.error, state.settled, state.sequence_number) == ("Oh", False, 3)


def test_strange_events_are_passed_over() -> None:
    """Another type of type, of response, and what is no JSON."""
    state = state_of({"type": 5}, {"type": "response.completed", "response": 7}, {})
    assert not state.add(b"{")
    assert not state.settled
