"""Where a request with trailers ends is known to the byte, however it comes."""

import pytest

from gateway.wire.trailers import TrailerWatch

HEAD = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
PLAIN = HEAD + b"6\r\na\r\n\r\nb\r\n0\r\n\r\n"
TRAILED = HEAD + b"6\r\na\r\n\r\nb\r\n0\r\nX: y\r\nZ: w\r\n\r\n"
SIZED = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n\r\n\r\n"


def end_of(data: bytes, size: int) -> int | None:
    """What a watch that is fed `size` bytes at a time finds, counted from the start."""
    watch = TrailerWatch()
    for start in range(0, len(data), size):
        end = watch.end_in(data[start : start + size])
        if end is not None:
            return start + end
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
    watch = TrailerWatch()
    assert watch.end_in(SIZED + b"\x00\x00\r\n\r\n" + PLAIN) is not None
