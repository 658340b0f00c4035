"""What is read out of the chunks of a Chat Completions stream."""

from typing import Any

import msgspec
import pytest

from gateway.generation import Usage
from gateway.metering.chat import ChatState


def state_of(*chunks: dict[str, Any] | bytes) -> ChatState:
    state = ChatState()
    for chunk in chunks:
        state.add(chunk if isinstance(chunk, bytes) else msgspec.json.encode(chunk))
    return state


def delta(**fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": None}]}


COUNTS = {"prompt_tokens": 9, "completion_tokens": 4}


@pytest.mark.parametrize(
    ("chunk", "tokens"),
    [
        (delta(role="assistant", content=""), 0),
        (delta(content="x"), 1),
        (delta(content="x" * 12), 3),
        (delta(content=[{"type": "text", "text": "x" * 12}]), 4),
        (delta(reasoning="x" * 12, reasoning_content="x" * 12), 3),
        (delta(refusal="No."), 1),
        (delta(tool_calls=[{"index": 0, "function": {"arguments": '{"city":"Bern"}'}}]), 3),
        (delta(content=None), 0),
        ({"choices": [{"index": 0, "text": "x" * 12}]}, 3),
        ({"choices": [delta(content="a")["choices"][0], delta(content="b")["choices"][0]]}, 2),
    ],
)
def test_whatever_is_said_makes_tokens(chunk: dict[str, Any], tokens: int) -> None:
    """Content, reasoning under either name, refusals, tool calls, legacy text; every choice."""
    assert state_of(chunk).tokens == tokens


def test_azure_introduces_itself_late() -> None:
    """An empty id and model in the first chunk are none."""
    state = state_of({"id": "", "model": "", "choices": []}, {"id": "c", "model": "m"})
    assert (state.upstream_id, state.model) == ("c", "m")


def test_a_running_count_is_final_once_the_answer_has_finished() -> None:
    """vLLM's continuous usage counts for the whole only from the finishing chunk on."""
    running = state_of(delta(content="a") | {"usage": COUNTS})
    assert running.usage == Usage(9, 4)
    assert not running.counted
    finishing = {"choices": [{"delta": {}, "finish_reason": "length"}], "usage": COUNTS}
    assert state_of(finishing).counted
    assert state_of(delta(content="a") | {"usage": COUNTS}, b"[DONE]").counted


def test_the_service_tier_is_beside_the_usage() -> None:
    """Chunks name the one that is used (openai `types/chat/chat_completion_chunk.py`)."""
    last = {"id": "c", "model": "m", "service_tier": "priority", "choices": [], "usage": COUNTS}
    assert state_of(delta(content="a"), last).usage == Usage(9, 4, service_tier="priority")


def test_usage_alone_is_told_apart() -> None:
    """True for a chunk with usage and without choices, even when its counts make no sense."""
    state = ChatState()
    assert state.add(b'{"choices":[],"usage":{"prompt_tokens":1}}')
    assert state.add(b'{"choices":[],"usage":{"prompt_tokens":"many"}}')
    assert not state.add(b'{"choices":[],"usage":null}')
    assert not state.add(b'{"choices":[{"delta":{}}],"usage":{"prompt_tokens":1}}')
    assert state.usage == Usage(1)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'{"choices":7}', b'{"id":"\xff"}', b"[" * 9999]
)
def test_what_is_no_chunk_is_passed_over(data: bytes) -> None:
    """Broken JSON, other JSON, broken UTF-8 and bottomless nesting add nothing."""
    state = state_of(delta(content="a"), data, {"choices": [], "usage": COUNTS})
    assert (state.tokens, state.usage) == (1, Usage(9, 4))


def test_the_first_error_tells_the_cause() -> None:
    """OpenRouter's error chunk; what follows it does not replace it."""
    state = state_of({"error": {"code": 502, "message": "First"}}, {"error": "Second"})
    assert state.error == "First"
