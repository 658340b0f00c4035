"""Events by one pattern are known by their bytes; whatever is in doubt is left to the decoder."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.metering.chat import ChatTally
from gateway.metering.messages import MessagesTally
from gateway.metering.pattern import TextPattern


def event(text: str, **fields: object) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return msgspec.json.encode({"id": "c", "choices": [choice], **fields})


def pattern_of(text: str, **fields: object) -> TextPattern:
    pattern = TextPattern()
    pattern.learn(event(text, **fields), text)
    return pattern


def test_nothing_is_known_before_the_first_event() -> None:
    """An event that nobody learned from has no pattern to go by."""
    assert TextPattern().characters(event("a")) == -1


@pytest.mark.parametrize("text", ["b", "", "word", "Grüße", "日本語", "👋🏽", " spaces "])
def test_the_text_alone_may_differ(text: str) -> None:
    """The length is that of the text in characters, not in bytes."""
    assert pattern_of("a").characters(event(text)) == len(text)


@pytest.mark.parametrize(
    "other",
    [
        event("b", usage=None),
        event("b", id="d"),
        event('a quote: "'),
        event("a line\nfeed"),
        event("back\\slash"),
        event("b").replace(b'"b"', b'"\xff"'),
        b"",
        b"[DONE]",
    ],
)
def test_any_other_event_is_not_of_the_pattern(other: bytes) -> None:
    """Another field, or a text that is written otherwise than it reads."""
    assert pattern_of("a").characters(other) == -1


@pytest.mark.parametrize("text", ["c", "id", "content", 'say "x"', "\n", "index"])
def test_nothing_is_learned_in_doubt(text: str) -> None:
    """A text that is also a key or another value, or one that is escaped, marks no place."""
    assert pattern_of(text).characters(event("b")) == -1


def test_the_last_pattern_holds() -> None:
    """A stream that goes over from one kind of text to another is followed."""
    pattern = pattern_of("a")
    pattern.learn(b'{"reasoning":"x"}', "x")
    assert pattern.characters(b'{"reasoning":"because"}') == 7
    assert pattern.characters(event("a")) == -1


texts = st.lists(st.text(max_size=30) | st.sampled_from(["a", "word ", "c", "content"]))


@given(texts)
def test_a_chat_adds_up_to_the_same(said: list[str]) -> None:
    """Whatever is said, tokens are those of each event read on its own."""
    tally = ChatTally()
    alone = 0
    for text in said:
        tally.add(event(text, model="m"))
        one = ChatTally()
        one.add(event(text, model="m"))
        alone += one.tokens
    assert tally.tokens == alone


@given(texts)
def test_messages_add_up_to_the_same(said: list[str]) -> None:
    """The same of Anthropic's events."""
    tally = MessagesTally()
    alone = 0
    for text in said:
        delta = {"type": "text_delta", "text": text}
        data = msgspec.json.encode({"type": "content_block_delta", "index": 0, "delta": delta})
        tally.add(data)
        one = MessagesTally()
        one.add(data)
        alone += one.tokens
    assert tally.tokens == alone
