"""Content codings undone while an answer passes."""

import gzip
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.metering.encoding import MAX_READ, Inflater, Unreadable


def raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


def two_members(data: bytes) -> bytes:
    return gzip.compress(data[:3]) + gzip.compress(data[3:])


CODINGS = [gzip.compress, zlib.compress, raw_deflate, two_members]


@given(st.sampled_from(CODINGS), st.binary(min_size=4), st.integers(1, 9))
def test_content_comes_out_however_it_is_split(
    code: Callable[[bytes], bytes], content: bytes, step: int
) -> None:
    """gzip, its members, zlib and the bare deflate that some servers send, in any pieces."""
    coded, inflater = code(content), Inflater()
    pieces = [coded[i : i + step] for i in range(0, len(coded), step)]
    assert b"".join(map(inflater.feed, pieces)) == content


def test_flushed_content_is_readable_at_once() -> None:
    """What a streaming server flushed can be read before the stream ends."""
    compressor = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    flushed = compressor.compress(b"data: 1\n\n") + compressor.flush(zlib.Z_SYNC_FLUSH)
    assert Inflater().feed(flushed) == b"data: 1\n\n"


def test_other_bytes_are_unreadable() -> None:
    """Content that is not in its coding is named as such."""
    with pytest.raises(Unreadable, match="not what its coding says"):
        Inflater().feed(b"\x1f\x8bnot gzip at all")


def test_a_bomb_does_not_go_off() -> None:
    """Content over the limit is refused, without being built up."""
    bomb = gzip.compress(bytes(MAX_READ + 1), 1)
    with pytest.raises(Unreadable, match="larger"):
        Inflater().feed(bomb)


def test_the_limit_holds_for_the_sum_of_all_pieces() -> None:
    """Many small bombs are one large one."""
    inflater, half = Inflater(), gzip.compress(bytes(MAX_READ // 2), 1)
    assert len(inflater.feed(half)) == len(inflater.feed(half)) == MAX_READ // 2
    with pytest.raises(Unreadable):
        inflater.feed(half)


@pytest.mark.parametrize("end", [b"\0", b"\0" * 512, b"end"])
def test_what_follows_the_last_member_is_not_read(end: bytes) -> None:
    """gzip ends before bytes that are no member, which costs nothing of the content."""
    inflater = Inflater()
    assert inflater.feed(gzip.compress(b"content") + end) == b"content"
    assert inflater.feed(gzip.compress(b"more")) == b""


def test_a_member_may_begin_with_a_piece_of_its_own() -> None:
    """One byte of a header is waited with, also where another member came before it."""
    inflater, second = Inflater(), gzip.compress(b"second")
    assert inflater.feed(gzip.compress(b"first") + second[:1]) == b"first"
    assert inflater.feed(second[1:]) == b"second"


def test_members_of_a_stream_may_be_many() -> None:
    """A server that sends each event as a member of its own is read to the end."""
    inflater, event = Inflater(), gzip.compress(b"data: 1\n\n")
    assert b"".join(inflater.feed(event) for _ in range(5000)) == b"data: 1\n\n" * 5000


@pytest.mark.parametrize(
    ("members", "rest"), [(6000, b""), (10, bytes(MAX_READ))], ids=["many", "large"]
)
def test_members_that_cost_too_much_are_unreadable(members: int, rest: bytes) -> None:
    """Each costs a copy of what follows: many at once, or a few before much else."""
    with pytest.raises(Unreadable, match="too many parts"):
        Inflater().feed(gzip.compress(b"") * members + rest)
