"""The opening of a conversation: the same from turn to turn, another for another one."""

import json
from typing import Any

import pytest

from gateway.calls.fingerprint import fingerprint

SYSTEM = {"role": "system", "content": "You are a baker."}
HELLO = {"role": "user", "content": "Hello"}


def of(**body: Any) -> str | None:
    return fingerprint(json.dumps(body).encode())


def test_later_turns_change_nothing() -> None:
    """What follows the opening is no part of it, nor are other fields."""
    later = [{"role": "assistant", "content": "Hi"}, {"role": "user", "content": "Bread?"}]
    first = of(messages=[SYSTEM, HELLO])
    assert first is not None
    assert of(model="m", messages=[SYSTEM, HELLO, *later], stream=True) == first


def test_another_opening_is_another_conversation() -> None:
    """Both the instructions and the first message count, and which is which."""
    openings = [
        [SYSTEM, HELLO],
        [HELLO],
        [SYSTEM, {"role": "user", "content": "Hallo"}],
        [{"role": "system", "content": "Hello"}, {"role": "user", "content": "You are a baker."}],
    ]
    assert len({of(messages=messages) for messages in openings}) == 4


def test_marks_that_move_do_not_count() -> None:
    """The text counts: not its form, not `cache_control`, which moves on from turn to turn."""
    marked = {"type": "text", "text": "Hello", "cache_control": {"type": "ephemeral"}}
    assert of(messages=[{"role": "user", "content": [marked]}]) == of(messages=[HELLO])


def test_every_api_has_its_place_for_it() -> None:
    """The same opening in Chat, Messages and Responses is the same conversation."""
    chat = of(messages=[{"role": "developer", "content": "You are a baker."}, HELLO])
    assert of(system="You are a baker.", messages=[HELLO]) == chat
    assert of(system=[{"type": "text", "text": "You are a baker."}], messages=[HELLO]) == chat
    assert of(instructions="You are a baker.", input="Hello") == chat
    part = {"type": "input_text", "text": "Hello"}
    assert of(input=[SYSTEM, {"role": "user", "content": [part]}]) == chat


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"messages":[]}',
        b'{"messages":"Hello"}',
        b'{"messages":[{"role":"system","content":"alone"}]}',
        b'{"messages":[{"role":"user","content":[{"type":"image_url"}]}]}',
        b'{"messages":[{"role":"user","content":7}]}',
        b'{"prompt":"Once upon a time"}',
        b'{"input":["a text to embed"]}',
        b'{"messages":[{"role":"user","content":"\xff"}]}',
        b'{"messages":[{"role":"user","content":' + b"[" * 9999,
        b"",
    ],
)
def test_no_conversation(body: bytes) -> None:
    """Where nothing opens with text there is nothing to know it by; that is no error."""
    assert fingerprint(body) is None
