"""Streams read while they pass, and passed on as they came."""

import zlib
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.call import Call
from gateway.calls.endpoint import ENDPOINTS
from gateway.generation import Usage
from gateway.metering.base import Meter
from gateway.metering.meter import open_meter
from gateway.metering.reading import Reading

PROMPT = b"x, y" * 100
SSE = (b"Content-Type", b"text/event-stream")


def open_stream(path: str, asks_usage: bool = True, coding: bytes = b"") -> Meter:
    call = Call(
        endpoint=ENDPOINTS[path], tenant="t", stream=True, is_json=True, asks_usage=asks_usage
    )
    coded = [(b"Content-Encoding", coding)] if coding else []
    return open_meter(call, 200, [SSE, *coded], PROMPT)


def sse(*events: dict[str, Any] | bytes, name: bool = False) -> bytes:
    """The events as they are sent; `name` adds the `event:` line that two of the APIs have."""
    sent = []
    for event in events:
        data = event if isinstance(event, bytes) else msgspec.json.encode(event)
        title = b"event: %b\n" % event["type"].encode() if name and isinstance(event, dict) else b""
        sent.append(title + b"data: " + data + b"\n\n")
    return b"".join(sent)


def chunk(*choices: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "created": 17, "model": "m-1", "choices": choices, **fields}


def said(content: str, finish_reason: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": {"content": content}, "finish_reason": finish_reason}


COUNTS = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}
USAGE = sse(chunk(usage={**COUNTS, "cost": 0.25}))
COMMENT = b": OPENROUTER PROCESSING\n\n"
TALK = COMMENT + sse(chunk(said("")), chunk(said("Hi")), chunk(said(" all", "stop")))
CHAT = TALK + USAGE + sse(b"[DONE]")
START = {"input_tokens": 10, "cache_read_input_tokens": 90, "output_tokens": 1}
MESSAGES = sse(
    {"type": "message_start", "message": {"id": "msg_1", "model": "c-1", "usage": START}},
    {"type": "ping"},
    {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Hello there"}},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 6}},
    {"type": "message_stop"},
    name=True,
)
RESPONSE = {"id": "resp_1", "model": "r-1", "status": "completed"}
RESPONSES = sse(
    {"type": "response.created", "response": {**RESPONSE, "status": "in_progress"}},
    {"type": "response.output_text.delta", "sequence_number": 4, "delta": "Hello"},
    {
        "type": "response.completed",
        "response": {**RESPONSE, "usage": {"input_tokens": 9, "output_tokens": 4}},
    },
    name=True,
)


def test_chat_to_its_end() -> None:
    """Id, model, finish reason, usage and cost of a whole stream; it passes unchanged."""
    meter = open_stream("chat/completions")
    assert meter.feed(CHAT) == CHAT
    assert meter.settled
    assert meter.finish() == b""
    assert meter.reading() == Reading(
        usage=Usage(9, 4),
        upstream_id="chatcmpl-1",
        finish_reason="stop",
        cost=25 * 10**7,
    )


def test_nothing_after_the_terminal_event_counts() -> None:
    """Events after `[DONE]` pass, and change nothing."""
    meter = open_stream("chat/completions")
    meter.feed(CHAT)
    late = sse(chunk(said("late"), usage={"prompt_tokens": 999, "completion_tokens": 999}))
    assert meter.feed(late) == late
    assert meter.reading().usage == Usage(9, 4)


@pytest.mark.parametrize("path", ["chat/completions", "completions"])
def test_usage_the_client_did_not_ask_for_is_hidden(path: str) -> None:
    """The usage chunk stays here; comments, content and `[DONE]` come as they came."""
    meter = open_stream(path, asks_usage=False)
    assert meter.feed(CHAT) == TALK + sse(b"[DONE]")
    assert meter.reading().usage == Usage(9, 4)


def test_usage_packed_into_content_is_not_hidden() -> None:
    """A chunk that says more than usage belongs to the client."""
    packed = sse(chunk(said("Hi", "stop"), usage=COUNTS), b"[DONE]")
    meter = open_stream("chat/completions", asks_usage=False)
    assert meter.feed(packed) == packed
    assert meter.reading().usage == Usage(9, 4)


texts = st.sampled_from(["a", "word", "id", "delta", 'a "quote"', ""]) | st.text()


@given(st.lists(st.tuples(texts, st.booleans())))
def test_a_null_usage_is_hidden_in_every_event(talk: list[tuple[str, bool]]) -> None:
    """Whatever the events before it were like; nothing else of an event is left out."""
    meter = open_stream("chat/completions", asks_usage=False)
    for text, says_null in talk:
        bare = sse(chunk(said(text)))
        sent = sse(chunk(said(text), usage=None)) if says_null else bare
        assert meter.feed(sent) == bare


def test_openrouters_clients_see_no_null_usage() -> None:
    """The counts that one of them asked for come as they came, without the nulls before them."""
    call = Call(
        endpoint=ENDPOINTS["chat/completions"],
        tenant="t",
        stream=True,
        asks_usage=True,
        knows_null_usage=False,
        is_json=True,
    )
    talk, rest = [chunk(said(text)) for text in ("One", "two", "three")], USAGE + sse(b"[DONE]")
    meter = open_meter(call, 200, [SSE], PROMPT)
    sent = sse(*({**each, "usage": None} for each in talk)) + rest
    passed = b"".join(meter.feed(sent[i : i + 100]) for i in range(0, len(sent), 100))
    assert passed == sse(*talk) + rest
    assert meter.reading().usage == Usage(9, 4)


def test_chunks_without_choices_that_are_not_usage_are_not_hidden() -> None:
    """Azure's content filter results and errors come without choices too."""
    other = sse(chunk(prompt_filter_results=[]), chunk(error={"message": "No"}, usage=COUNTS))
    assert open_stream("chat/completions", asks_usage=False).feed(other) == other


@pytest.mark.parametrize("asks_usage", [True, False])
def test_only_an_unfinished_event_is_held_back(asks_usage: bool) -> None:
    """Hiding or not, an event passes when it is complete, a comment at once."""
    meter = open_stream("chat/completions", asks_usage)
    event = sse(chunk(said("Hi")))
    assert meter.feed(COMMENT + event[:20]) == COMMENT
    assert meter.feed(event[20:] + event[:5]) == event
    assert meter.finish() == event[:5]


@pytest.mark.parametrize(("asks_usage", "passed"), [(True, TALK + USAGE), (False, TALK)])
def test_a_last_event_without_its_blank_line_counts(asks_usage: bool, passed: bytes) -> None:
    """The end of the answer ends its last event; hidden or not."""
    meter = open_stream("chat/completions", asks_usage)
    assert meter.feed(CHAT[:-1]) + meter.finish() == passed + b"data: [DONE]\n"
    assert meter.settled


def test_the_terminal_event_counts_when_it_is_complete() -> None:
    """Half a blank line may still be followed by more of the event."""
    meter = open_stream("chat/completions")
    meter.feed(CHAT[:-1])
    assert not meter.settled


def test_a_cut_stream_is_estimated_from_its_text() -> None:
    """400 bytes of prompt are 100 tokens; an empty delta is none, every other one at least."""
    meter = open_stream("chat/completions")
    meter.feed(sse(chunk(said("")), chunk(said("a")), chunk(said("b")), chunk(said("c" * 40))))
    assert meter.reading().usage == Usage(100, 12, estimated=True)


def test_a_stream_that_ends_without_usage_is_estimated() -> None:
    """`[DONE]` alone does not count tokens."""
    meter = open_stream("chat/completions")
    meter.feed(TALK + sse(b"[DONE]"))
    assert meter.settled
    assert meter.reading().usage == Usage(100, 2, estimated=True)


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("chat/completions", {"error": {"code": 502, "message": "Oh"}, "choices": []}),
        ("messages", {"type": "error", "error": {"type": "overloaded_error", "message": "Oh"}}),
        (
            "responses",
            {"type": "response.failed", "response": {"error": {"message": "Oh"}, "usage": None}},
        ),
    ],
)
def test_an_error_in_the_place_of_a_stream_used_nothing(path: str, error: dict[str, Any]) -> None:
    """Only what broke off is estimated, and a stream that said nothing before its error is none."""
    meter = open_stream(path)
    meter.feed(sse(error))
    assert meter.reading() == Reading(error="Oh")


def test_a_stream_that_failed_halfway_is_estimated() -> None:
    """What was said before the error was generated from the prompt."""
    meter = open_stream("chat/completions")
    meter.feed(TALK + sse(chunk(error={"code": 502, "message": "Oh"})))
    assert meter.reading().usage == Usage(100, 2, estimated=True)


def test_usage_reported_before_the_cut_is_used() -> None:
    """The usage chunk is final, though `[DONE]` never came."""
    meter = open_stream("chat/completions")
    meter.feed(TALK + USAGE)
    assert not meter.settled
    assert meter.reading().usage == Usage(9, 4)


def test_messages_to_their_end() -> None:
    """Input from the start, output from the last delta, the cache's part added."""
    meter = open_stream("messages")
    assert meter.feed(MESSAGES) == MESSAGES
    assert meter.settled
    assert meter.reading() == Reading(
        usage=Usage(100, 6, cached_tokens=90),
        upstream_id="msg_1",
        finish_reason="end_turn",
    )


def test_cut_messages_keep_their_real_prompt() -> None:
    """Only the output is estimated when the start brought the input."""
    meter = open_stream("messages")
    meter.feed(MESSAGES[: MESSAGES.index(b"event: message_delta")])
    assert meter.reading().usage == Usage(100, 2, cached_tokens=90, estimated=True)


def test_responses_to_their_end() -> None:
    """The terminal event carries the response with its usage."""
    meter = open_stream("responses")
    assert meter.feed(RESPONSES) == RESPONSES
    assert meter.settled
    assert meter.reading() == Reading(
        usage=Usage(9, 4), upstream_id="resp_1", finish_reason="completed"
    )


def test_compressed_streams_are_read_and_not_changed() -> None:
    """gzip passes as it came, so nothing can be hidden in it, and is read all the same."""
    compressor = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    coded = compressor.compress(CHAT) + compressor.flush()
    meter = open_stream("chat/completions", asks_usage=False, coding=b"gzip")
    assert b"".join(meter.feed(coded[i : i + 7]) for i in range(0, len(coded), 7)) == coded
    assert meter.settled
    assert meter.reading().usage == Usage(9, 4)
    assert meter.break_off("gone") == b""


def test_a_stream_not_in_its_coding_passes_unread() -> None:
    """Bytes that cannot be decompressed are the client's affair; usage is estimated."""
    meter = open_stream("chat/completions", coding=b"gzip")
    assert meter.feed(b"\x1f\x8bxxxxxxxxxx") + meter.feed(CHAT) == b"\x1f\x8bxxxxxxxxxx" + CHAT
    assert meter.reading().usage == Usage(100, 0, estimated=True)


@pytest.mark.parametrize("asks_usage", [True, False])
def test_breaking_off_drops_what_was_held(asks_usage: bool) -> None:
    """Nothing of the half event went out, so the error event stands for itself."""
    meter = open_stream("chat/completions", asks_usage)
    assert meter.feed(TALK + b"data: {") == TALK
    assert meter.break_off("gone").startswith(b'data: {"object"')


@pytest.mark.parametrize("asks_usage", [True, False])
def test_breaking_off_after_an_endless_event_ends_it(asks_usage: bool) -> None:
    """An event too long to hold has gone out in part, hiding or not."""
    meter = open_stream("chat/completions", asks_usage)
    meter.feed(b"data: " + bytes(32 * 1024 * 1024))
    assert meter.break_off("gone").startswith(b"\n\ndata: {")


def test_a_client_that_knows_is_not_told_again() -> None:
    """After the terminal event, or the provider's own error, breaking off adds nothing."""
    ended, failed = open_stream("chat/completions"), open_stream("chat/completions")
    ended.feed(CHAT)
    failed.feed(sse(chunk(error={"message": "Provider returned error", "code": 502})))
    assert ended.break_off("gone") == failed.break_off("gone") == b""
    assert failed.reading().error == "Provider returned error"


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_hiding_is_exact_wherever_the_cut_falls(end: bytes) -> None:
    """Not even a line feed of the hidden event comes through, and none of another is lost."""
    stream, shown = (b.replace(b"\n", end) for b in (CHAT, TALK + sse(b"[DONE]")))
    for cut in range(len(stream)):
        meter = open_stream("chat/completions", asks_usage=False)
        assert meter.feed(stream[:cut]) + meter.feed(stream[cut:]) + meter.finish() == shown
        assert meter.reading().usage == Usage(9, 4)


IMAGES = sse(
    {"type": "image_generation.partial_image", "b64_json": "A" * 40},
    {"type": "image_generation.completed", "b64_json": "A" * 40, "usage": START},
    name=True,
)
STREAMS = {
    "images/generations": IMAGES,
    "chat/completions": CHAT,
    "completions": CHAT,
    "messages": MESSAGES,
    "responses": RESPONSES,
}


@given(
    path=st.sampled_from(sorted(STREAMS)),
    asks_usage=st.booleans(),
    end=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    cuts=st.lists(st.integers(0, 1200)),
)
def test_splitting_changes_nothing(
    path: str, asks_usage: bool, end: bytes, cuts: list[int]
) -> None:
    """However the network cuts a stream: the same reading, the same bytes for the client."""
    stream = STREAMS[path].replace(b"\n", end)
    edges = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    whole, cut = open_stream(path, asks_usage), open_stream(path, asks_usage)
    expected = whole.feed(stream) + whole.finish()
    pieces = [cut.feed(stream[a:b]) for a, b in pairwise(edges)]
    assert b"".join(pieces) + cut.finish() == expected
    assert cut.reading() == whole.reading()
    assert cut.settled == whole.settled
