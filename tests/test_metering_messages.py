"""What is read out of the events of a Messages stream."""

from typing import Any

import msgspec
import pytest

from gateway.generation import Extras, Usage
from gateway.metering.messages import MessagesState


def state_of(*events: dict[str, Any]) -> MessagesState:
    state = MessagesState()
    for event in events:
        assert not state.add(msgspec.json.encode(event))
    return state


def start(**usage: Any) -> dict[str, Any]:
    return {"type": "message_start", "message": {"id": "msg_1", "model": "c", "usage": usage}}


def delta(**usage: Any) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage}


def test_deltas_are_cumulative() -> None:
    """The last output count holds; counts a delta leaves out, or sends as null, stay."""
    state = state_of(
        start(input_tokens=5, cache_creation_input_tokens=20, output_tokens=1),
        delta(output_tokens=3),
        delta(output_tokens=8, cache_creation_input_tokens=None),
    )
    assert (state.usage, state.counted) == (Usage(25, 8, cache_write_tokens=20), True)


def test_a_delta_may_bring_the_input_again() -> None:
    """Server tools add to the input while the answer is under way."""
    state = state_of(
        start(input_tokens=5, output_tokens=1), delta(input_tokens=70, output_tokens=8)
    )
    assert state.usage == Usage(70, 8)


def test_the_start_tells_the_speed() -> None:
    """Deltas do not repeat it (anthropic `types/beta/beta_message_delta_usage.py`)."""
    state = state_of(start(input_tokens=5, output_tokens=1, speed="fast"), delta(output_tokens=8))
    assert state.usage == Usage(5, 8, service_tier="fast")


def test_searches_are_counted_up() -> None:
    """The last delta has those of the whole answer (anthropic `types/message_delta_usage.py`)."""
    state = state_of(
        start(input_tokens=5, output_tokens=1, server_tool_use=None),
        delta(output_tokens=3, server_tool_use={"web_search_requests": 1}),
        delta(output_tokens=8, server_tool_use={"web_search_requests": 2, "web_fetch_requests": 0}),
    )
    assert state.usage == Usage(5, 8, extras=Extras(web_searches=2))


def test_the_start_alone_is_no_count() -> None:
    """Its output count is of the first token only."""
    state = state_of(start(input_tokens=5, output_tokens=1), {"type": "message_stop"})
    assert (state.usage, state.counted, state.settled) == (Usage(5, 1), False, True)


@pytest.mark.parametrize(
    ("said", "tokens"),
    [
        ({"type": "text_delta", "text": "Hello there"}, 2),
        ({"type": "thinking_delta", "thinking": "x" * 40}, 10),
        ({"type": "input_json_delta", "partial_json": '{"a":'}, 1),
        ({"type": "signature_delta", "signature": "x" * 400}, 0),
    ],
)
def test_text_thinking_and_tool_input_make_tokens(said: dict[str, str], tokens: int) -> None:
    """What the model wrote counts, its signature does not."""
    assert state_of({"type": "content_block_delta", "delta": said}).tokens == tokens


def test_error_events() -> None:
    """An overload in mid-stream is the answer's error, and not its terminal event."""
    error = {"type": "overloaded_error", "message": "Overloaded"}
    state = state_of({"type": "error", "error": error})
    assert (state.error, state.settled) == ("Overloaded", False)


def test_strange_events_are_passed_over() -> None:
    """Events without their parts, and what is no event, add nothing."""
    state = state_of({"type": "message_start"}, {"type": "message_delta"}, {"type": 5}, {})
    assert not state.add(b"{")
    assert (state.usage, state.tokens, state.settled) == (None, 0, False)
