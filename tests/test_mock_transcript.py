"""What a model reads is one text that only ever grows at its end."""

from typing import Any

import pytest

from gateway.mock.transcript import content_text, transcript


def test_a_continued_conversation_begins_with_the_earlier_one() -> None:
    """Prompt caches match beginnings; system prompt and tools come first, new messages last."""
    earlier = [{"role": "user", "content": "Is it hot?"}]
    later = [
        *earlier,
        {"role": "assistant", "content": "Yes."},
        {"role": "user", "content": "Still?"},
    ]
    rest: dict[str, Any] = {"system": "Be brief.", "tools": [{"name": "poke"}]}
    assert transcript(later, **rest).startswith(transcript(earlier, **rest))
    assert transcript(earlier, **rest) == '[{"name":"poke"}]\nsystem: Be brief.\nuser: Is it hot?\n'


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, ""),
        ("plain", "plain"),
        ([{"type": "text", "text": "a"}, {"type": "input_text", "text": "b"}], "a\nb"),
        (["a", "b"], "a\nb"),
        ([1, 2], "1\n2"),
        (
            [{"type": "image_url", "image_url": {"url": "x"}}],
            '{"type":"image_url","image_url":{"url":"x"}}',
        ),
    ],
)
def test_content_is_read_in_every_form(content: Any, text: str) -> None:
    """Strings and text parts are their text, everything else its JSON."""
    assert content_text(content) == text


def test_a_cache_mark_changes_nothing_that_is_read() -> None:
    """Anthropic's `cache_control` moves from turn to turn; the text must not change with it."""
    part = {"type": "text", "text": "a"}
    marked = {**part, "cache_control": {"type": "ephemeral"}}
    assert content_text([marked]) == content_text([part])


def test_tool_calls_are_read() -> None:
    """Calls and their results are part of the prompt, whichever API they come from."""
    call = {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}
    result = {"type": "function_call_output", "output": "42"}
    assert transcript([call, result]) == (
        'assistant: [{"id":"1"}]\n{"type":"function_call_output","output":"42"}\n'
    )
