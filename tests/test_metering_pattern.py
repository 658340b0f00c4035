"""Events by one pattern are known by their bytes; whatever is in doubt is left to the decoder."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.endpoint import Dialect
from gateway.metering.estimate import Estimate
from gateway.metering.pattern import TextPattern
from gateway.metering.stream import StreamMeter


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


@pytest.mark.parametrize(
    "text",
    [
        *("b", "", "word", "Grüße", "日本語", "👋🏽", " spaces "),
        *('a quote: "', "a line\nfeed", "back\\slash", "\\", '"'),
    ],
)
def test_the_text_alone_may_differ(text: str) -> None:
    """The length is that of the text in characters, not in bytes, nor as it is escaped."""
    assert pattern_of("a").characters(event(text)) == len(text)


@pytest.mark.parametrize(
    "other",
    [
        event("b", usage=None),
        event("b", id="d"),
        event("b").replace(b'"b"', b'"\xff"'),
        event("b").replace(b'"b"', b' "b"'),
        event("b").replace(b'"b"', b"null"),
        event("b") * 2,
        b"",
        b"[DONE]",
    ],
)
def test_any_other_event_is_not_of_the_pattern(other: bytes) -> None:
    """Another field, or what is no text, or more than one."""
    assert pattern_of("a").characters(other) == -1


def test_a_text_as_long_as_an_event_is_in_doubt() -> None:
    """It may have a whole event in it, and is left to whoever tells them apart."""
    length = len(event(""))
    assert pattern_of("a").characters(event("b" * (length - 3))) == length - 3
    assert pattern_of("a").characters(event("b" * length)) == -1


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


@pytest.mark.parametrize("line_end", ["\n", "\r", "\r\n"])
def test_a_text_with_a_line_end_is_not_of_the_pattern(line_end: str) -> None:
    """Such bytes, which no JSON may have, are more than one event, or none."""
    other = event("b").replace(b'"b"', b'"%b"' % (line_end * 2).encode())
    assert pattern_of("a").characters(other) == -1


texts = st.lists(st.text(max_size=30) | st.sampled_from(["a", "word ", "c", "content"]))


def tokens_of(dialect: Dialect, *sent: bytes) -> int:
    """Of a stream that never came to its usage."""
    meter = StreamMeter(dialect, Estimate(dialect, 200, b""))
    assert [meter.feed(each) for each in sent] == [*sent]
    return meter.reading().usage.completion_tokens


@pytest.mark.heavy
@given(texts)
def test_a_chat_adds_up_to_the_same(said: list[str]) -> None:
    """Whatever is said, tokens are those of each event read on its own."""
    sent = [b"data: %b\n\n" % event(text, model="m") for text in said]
    assert tokens_of("chat", *sent) == sum(tokens_of("chat", each) for each in sent)


@given(texts)
def test_messages_add_up_to_the_same(said: list[str]) -> None:
    """The same of Anthropic's events, which have a line more."""
    deltas = [{"type": "text_delta", "text": text} for text in said]
    events = [{"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas]
    title = b"event: content_block_delta\ndata: "
    sent = [title + msgspec.json.encode(each) + b"\n\n" for each in events]
    assert tokens_of("messages", *sent) == sum(tokens_of("messages", each) for each in sent)


@given(texts)
def test_events_that_come_at_once_add_up_to_the_same(said: list[str]) -> None:
    """However many a read brings."""
    sent = [b"data: %b\n\n" % event(text, model="m") for text in said]
    assert tokens_of("chat", b"".join(sent)) == tokens_of("chat", *sent)
