"""Where heads and requests with trailers end is known to the byte, however they come."""

from collections.abc import Iterator
from typing import Self

import pytest

from gateway.wire.framing import Framing

HEAD = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
PLAIN = HEAD + b"6\r\na\r\n\r\nb\r\n0\r\n\r\n"
TRAILED = HEAD + b"6\r\na\r\n\r\nb\r\n0\r\nX: y\r\nZ: w\r\n\r\n"
SIZED = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n\r\n\r\n"


def end_of(data: bytes, size: int) -> int | None:
    """What a reader that is fed `size` bytes at a time finds, counted from the start."""
    framing = Framing()
    for start in range(0, len(data), size):
        read = sum(map(len, framing.pieces(data[start : start + size])))
        if framing.has_ended:
            return start + read
        assert read == len(data[start : start + size])
    return None


@pytest.mark.parametrize("size", range(1, len(TRAILED) + 40))
def test_every_cut(size: int) -> None:
    """Requests before it and what follows it change nothing, nor where reads begin and end."""
    data = PLAIN + SIZED + TRAILED + PLAIN
    assert end_of(data, size) == len(PLAIN + SIZED + TRAILED)


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_without_trailers_nothing_ends(size: int) -> None:
    """Fields of the next head are no trailers."""
    assert end_of((PLAIN + SIZED) * 3, size) is None


def test_nothing_follows_what_is_no_request() -> None:
    """What one parser refuses the other is not to be asked about."""
    framing = Framing()
    wrong = b"\x00\x00\r\n\r\n"
    assert list(framing.pieces(HEAD + b"0\r\n\r\n" + wrong + PLAIN)) == [HEAD, b"0\r\n\r\n" + wrong]
    assert framing.has_ended


def test_each_head_ends_a_piece() -> None:
    """What is wrong with a request cannot spoil the one before it."""
    one, two = SIZED[:-4], SIZED[-4:]
    assert list(Framing().pieces(SIZED + SIZED + PLAIN)) == [
        *(one, two + one, two + HEAD),
        PLAIN[len(HEAD) :],
    ]


def test_half_a_head() -> None:
    """A head has begun from its first byte to its last one, whatever came before."""
    framing = Framing()
    seen = []
    for piece in (
        PLAIN,
        b"P",
        SIZED[1:20],
        SIZED[20:-4],
        b"\r\n\r\n",
        b"\r\n",
        HEAD,
        PLAIN[len(HEAD) :],
    ):
        assert b"".join(framing.pieces(piece)) == piece
        seen.append(framing.is_in_head)
    assert seen == [False, True, True, False, False, False, False, False]


class Spy(bytes):
    """Begins to read `PLAIN` when nobody has it any more."""

    def __new__(cls, begun: list[Iterator[bytes]]) -> Self:
        made = super().__new__(cls, PLAIN)
        made.begun = begun
        return made

    begun: list[Iterator[bytes]]

    def __del__(self) -> None:
        self.begun.append(Framing().pieces(PLAIN))


def test_one_begun_while_another_is_freed() -> None:
    """Nothing of the one that goes is taken for the other's, compiled neither."""
    begun: list[Iterator[bytes]] = []
    pieces = Framing().pieces(Spy(begun))
    del pieces
    [other] = begun
    assert b"".join(other) == PLAIN
