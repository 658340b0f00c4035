"""The record's fields stand where they always stood: what is on disks is read by their order."""

import msgspec

from gateway.generation import Attempt, Extras, Flag, Generation, Record, Usage
from gateway.ledger.named import NamedGeneration, named
from tests.parts.generations import generation

ORDER = {
    Record: ["writer", "sequence", "generation"],
    Generation: [
        *("id", "created_at", "tenant", "endpoint", "status", "outcome", "api_type", "user"),
        *("user_source", "session_id", "model", "upstream_model", "provider", "route"),
        *("upstream_id", "streamed", "finish_reason", "latency_ms", "first_byte_ms", "usage"),
        *("cost", "cache_discount", "moved_from", "move_cost", "attempts", "flags", "error"),
        *("peer", "user_agent", "referer", "title"),
    ],
    Usage: [
        *("prompt_tokens", "completion_tokens", "reasoning_tokens", "cached_tokens"),
        *("cache_write_tokens", "estimated", "cache_write_1h_tokens", "extras", "service_tier"),
    ],
    Extras: [
        *("prompt_audio_tokens", "prompt_image_tokens", "cached_audio_tokens"),
        *("cached_image_tokens", "completion_audio_tokens", "completion_image_tokens"),
        "web_searches",
    ],
    Attempt: ["provider", "model", "status", "error", "latency_ms"],
    Flag: ["type", "description"],
}
"""What versions so far wrote. Lists only ever grow, at their ends."""


def test_order_of_fields() -> None:
    """Nothing is moved, put in between or taken away."""
    assert {kind: list(kind.__struct_fields__) for kind in ORDER} == ORDER


def test_kept_as_arrays() -> None:
    """No record says the names of its fields, but where it is handed out."""
    usage = Usage(10, 5, extras=Extras(prompt_audio_tokens=4, web_searches=1))
    one = generation(1, usage=usage, attempts=(Attempt("a"),), flags=(Flag("b", "c"),))
    assert b"{" not in msgspec.json.encode(Record("w", 1, one))
    told = msgspec.json.decode(msgspec.json.encode(named(one)))
    extras = {"prompt_audio_tokens": 4, "web_searches": 1}
    assert told["usage"] == {"prompt_tokens": 10, "completion_tokens": 5, "extras": extras}
    assert (told["attempts"], told["flags"]) == (
        [{"provider": "a"}],
        [{"type": "b", "description": "c"}],
    )


def test_every_field_has_its_name() -> None:
    """What is handed out says all that is recorded."""
    assert NamedGeneration.__struct_fields__ == Generation.__struct_fields__
