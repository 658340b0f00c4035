"""What a client gets when the provider dies after the first byte: the status was sent, so the
stream itself has to say it, as an event of the API that was called.
"""

from typing import Any

import msgspec

from gateway.calls.endpoint import Dialect
from gateway.metering.stream_state import StreamState

_STATUS = 502
_REASON = "provider_unavailable"


def broken_stream_event(dialect: Dialect, message: str, state: StreamState) -> bytes:
    """The terminal error event, to be sent where a new event may begin.

    `state` tells what the event has in common with those before it.
    """
    if dialect == "messages":
        return _named(_messages(message))
    if dialect == "responses":
        return _named(_responses(message, state.sequence_number + 1))
    if dialect in ("chat", "completions"):
        return _unnamed(_chunk(dialect, state) | _error(message))
    return _unnamed(_error(message))


def _error(message: str) -> dict[str, Any]:
    """openrouter.ai/docs/api-reference/errors; openai-python raises APIError on any `error`."""
    metadata = {"error_type": _REASON}
    return {"error": {"code": _STATUS, "message": message, "metadata": metadata}}


def _chunk(dialect: Dialect, state: StreamState) -> dict[str, Any]:
    """The chunk around the error, so that clients with typed chunks can read it."""
    is_chat = dialect == "chat"
    known = {"id": state.upstream_id, "created": state.created, "model": state.model}
    said = {"delta": {"content": ""}} if is_chat else {"text": ""}
    return {
        "object": "chat.completion.chunk" if is_chat else "text_completion",
        **{name: value for name, value in known.items() if value is not None},
        "choices": [{"index": 0, **said, "finish_reason": "error"}],
    }


def _messages(message: str) -> dict[str, Any]:
    """docs.anthropic.com/en/api/messages-streaming, error events."""
    return {"type": "error", "error": {"type": "api_error", "message": message}}


def _responses(message: str, sequence_number: int) -> dict[str, Any]:
    """openai `types/responses/response_error_event.py`."""
    fields = {"type": "error", "code": _REASON, "message": message, "param": None}
    return {**fields, "sequence_number": sequence_number}


def _named(event: dict[str, Any]) -> bytes:
    return b"event: error\n" + _unnamed(event)


def _unnamed(event: dict[str, Any]) -> bytes:
    return b"data: %b\n\n" % msgspec.json.encode(event)
