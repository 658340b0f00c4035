"""Server-sent events taken out of a stream, however it is split."""

from itertools import pairwise
from time import thread_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.metering.encoding import MAX_READ
from gateway.metering.events import EventBuffer


def data_of(buffer: EventBuffer, *pieces: bytes) -> list[bytes]:
    return [data for piece in pieces for _, data in buffer.feed(piece) if data]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_any_line_end_ends_a_line(end: bytes) -> None:
    """LF, CR LF and CR, as the WHATWG grammar has them."""
    stream = b"data: 1\n\nevent: a\ndata: 2\n\n".replace(b"\n", end)
    assert data_of(EventBuffer(), stream) == [b"1", b"2"]


def test_the_space_after_the_colon_is_optional() -> None:
    """One leading space is dropped, no more."""
    assert data_of(EventBuffer(), b"data:1\n\ndata:  2\n\n") == [b"1", b" 2"]


def test_lines_of_one_event_are_joined() -> None:
    """Several data lines are one value with line feeds in it; other fields do not count."""
    stream = b"id: 7\ndata: {\nretry: 1\n: note\ndata: }\ndata\n\n"
    assert data_of(EventBuffer(), stream) == [b"{\n}"]


def test_comments_come_out_at_once() -> None:
    """A keep-alive comment does not wait for the event that follows it."""
    buffer = EventBuffer()
    comment = b": OPENROUTER PROCESSING\n\n"
    assert [raw for raw, data in buffer.feed(comment + b"data: 1") if not data] == [
        b": OPENROUTER PROCESSING\n",
        b"\n",
    ]
    assert buffer.rest == b"data: 1"


def test_a_byte_order_mark_is_no_part_of_the_first_field() -> None:
    """WHATWG: one leading byte order mark is ignored."""
    assert data_of(EventBuffer(), b"\xef\xbb\xbfdata: 1\n\n") == [b"1"]


def test_a_carriage_return_may_be_half_a_line_end() -> None:
    """CR LF CR LF split between any two of its bytes is one blank line."""
    for cut in range(8, 12):
        stream = b"data: 1\r\n\r\ndata: 2\r\n\r\n"
        assert data_of(EventBuffer(), stream[:cut], stream[cut:]) == [b"1", b"2"]


def test_the_last_event_may_lack_its_blank_line() -> None:
    """The rest of a finished stream is an event too."""
    buffer = EventBuffer()
    buffer.feed(b"data: [DONE]\n")
    assert buffer.finish() == [(b"data: [DONE]\n", b"[DONE]")]
    assert buffer.finish() == []


def test_an_endless_event_is_given_up() -> None:
    """Memory is bounded; what was held comes out, and all after it carries nothing."""
    buffer, piece = EventBuffer(), b"data: " + bytes(MAX_READ // 2)
    assert buffer.feed(piece) == []
    assert b"".join(raw for raw, _ in buffer.feed(piece)) == piece + piece
    assert buffer.given_up
    assert buffer.feed(b"data: 1\n\n") == [(b"data: 1\n\n", b"")]
    assert buffer.rest == b""


lines = st.sampled_from([b"data: {}", b"data:x", b"event: a", b": c", b"", b"", b"id"])
line_ends = st.sampled_from([b"\n", b"\r\n", b"\r"])


@given(st.lists(st.tuples(lines, line_ends)), st.lists(st.integers(0, 200)))
def test_splitting_changes_nothing(made: list[tuple[bytes, bytes]], cuts: list[int]) -> None:
    """However a stream is cut, the same data comes out, and every byte of it once, in order."""
    stream = b"".join(line + end for line, end in made)
    edges = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    whole, cut = EventBuffer(), EventBuffer()
    pieces = [p for a, b in pairwise(edges) for p in cut.feed(stream[a:b])]
    assert [data for _, data in pieces if data] == data_of(whole, stream)
    assert b"".join(raw for raw, _ in pieces) + cut.rest == stream


def test_a_comment_without_end_is_not_read_again_with_every_piece() -> None:
    """The time grows with its length, not with the square of it."""
    events, began = EventBuffer(), thread_time()
    events.feed(b":")
    for _ in range(2000):
        assert events.feed(b"x" * 4096) == []
    assert thread_time() - began < 1
    assert len(events.feed(b"\n")) == 1
