"""An answer is read the same however its bytes are cut, and is only complete when it surely is."""

import pytest

from gateway.errors import ProtocolError
from gateway.wire.answer_parser import MAX_UNPRODUCTIVE, AnswerParser

LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked \r\n\r\n"
    b"2;name=value\r\nhe\r\n003\r\nllo\r\n0\r\nTrailer: dropped\r\n\r\n"
)
INTERIM = (
    b"HTTP/1.1 100 Continue\r\n\r\n"
    b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
)


def read(*pieces: bytes, bodiless: bool = False) -> AnswerParser:
    """What a parser makes of one answer that comes in `pieces`."""
    parser = AnswerParser()
    parser.expect(bodiless=bodiless)
    for piece in pieces:
        parser.feed(piece)
    return parser


def test_head_is_read_as_it_came() -> None:
    """Fields keep order, spelling and repetitions; only blanks around values go (section 5.1)."""
    parser = read(
        b"HTTP/1.1 429 Slow down\r\nX-B: 1 \t\r\nx-a:\t2\r\nX-B: \xc3\xa9\r\nEmpty:\r\n"
        b"Content-Length: 0 \r\n\r\n"
    )
    assert parser.status == 429
    assert parser.headers == [
        (b"X-B", b"1"),
        (b"x-a", b"2"),
        (b"X-B", b"\xc3\xa9"),
        (b"Empty", b""),
        (b"Content-Length", b"0"),
    ]
    assert (parser.length, parser.complete, parser.keep_alive) == (0, True, True)


@pytest.mark.parametrize("raw", [LENGTH, CHUNKED, INTERIM], ids=["length", "chunked", "interim"])
def test_every_cut_reads_the_same(raw: bytes) -> None:
    """In two pieces or in single bytes, it is the same answer, complete with its last byte."""
    cuts = [(raw[:i], raw[i:]) for i in range(1, len(raw))]
    for pieces in [(raw,), *cuts, tuple(raw[i : i + 1] for i in range(len(raw)))]:
        parser = read(*pieces[:-1])
        assert not parser.complete
        parser.feed(pieces[-1])
        assert parser.error is None
        assert (parser.status, parser.take()) == (200, b"hello")
        assert (parser.complete, parser.keep_alive) == (True, True)
        assert len(parser.headers) == 1


def test_length_is_none_unless_announced() -> None:
    """A chunked answer has no length, one with Content-Length has that."""
    assert read(CHUNKED).length is None
    assert read(LENGTH).length == 5


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_answers_without_a_body_by_status(status: bytes) -> None:
    """204 and 304 end with their head, whatever length it announces (section 6.3)."""
    parser = read(b"HTTP/1.1 %b\r\nContent-Length: 7\r\n\r\n" % status)
    assert (parser.complete, parser.keep_alive, parser.take()) == (True, True, b"")


def test_answers_to_head_have_no_body() -> None:
    """An answer to HEAD ends with its head, and its connection with it."""
    parser = read(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nsurplus", bodiless=True)
    assert (parser.complete, parser.keep_alive, parser.error) == (True, False, None)
    assert (parser.length, parser.take()) == (7, b"")


def test_one_answer_after_the_other() -> None:
    """Nothing of an answer is left when the next one is expected."""
    parser = read(CHUNKED)
    parser.expect(bodiless=False)
    assert not parser.began
    parser.feed(b"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno")
    assert (parser.status, parser.length, parser.take()) == (500, 2, b"no")
    assert parser.headers == [(b"Content-Length", b"2")]


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: keep-alive, Close\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nPROXY-CONNECTION: Keep-Alive\r\nContent-Length: 5\r\n\r\n",
    ],
)
def test_connections_not_to_be_kept(head: bytes) -> None:
    """`Connection: close` and HTTP/1.0 make the answer the connection's last."""
    parser = read(head + b"hello")
    assert (parser.complete, parser.keep_alive, parser.error) == (True, False, None)


@pytest.mark.parametrize("surplus", [b"x", b"HTT", LENGTH, b"\r\n\r\nHTTP/1.1"])
def test_bytes_after_the_end(surplus: bytes) -> None:
    """What follows an answer is not part of it, and spoils the connection."""
    parser = read(LENGTH + surplus)
    assert (parser.complete, parser.keep_alive, parser.error) == (True, False, None)
    assert parser.take() == b"hello"
    parser = read(LENGTH, surplus)
    assert (parser.complete, parser.keep_alive, parser.error) == (True, False, None)
    assert parser.take() == b"hello"


def test_end_of_connection_ends_an_answer_without_length() -> None:
    """Neither Content-Length nor Transfer-Encoding: the body lasts until the connection ends."""
    parser = read(b"HTTP/1.1 200 OK\r\n\r\nhel", b"lo")
    assert not parser.complete
    assert parser.end()
    assert (parser.complete, parser.keep_alive, parser.take()) == (True, False, b"hello")


@pytest.mark.parametrize(
    "raw",
    [b"", b"HTTP/1.1 200 OK\r\nX-A: b\r\n", LENGTH[:-1], CHUNKED[:-2], CHUNKED[:-26]],
    ids=["nothing", "head", "length", "trailers", "chunks"],
)
def test_end_of_connection_does_not_complete_anything_else(raw: bytes) -> None:
    """A head, a Content-Length or a chunked body that is cut off stays incomplete."""
    parser = read(raw)
    assert not parser.end()
    assert not parser.complete


@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b'{"error": "not HTTP"}',
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: folded\r\n line\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: nul\x00\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
        b"HTTP/1.1 104 Upload\r\nContent-Length: 5\r\n\r\nhello" + LENGTH,
        b"HTTP/1.1 199 Odd\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n" + LENGTH,
        b"HTTP/1.1 000 None\r\nContent-Length: 5\r\n\r\nhello" + LENGTH,
    ],
)
def test_what_is_not_plain_http_is_refused(raw: bytes) -> None:
    """Bytes that two readers could take for two things, or that are not HTTP/1.1, are an error."""
    parser = read(raw)
    assert isinstance(parser.error, ProtocolError)
    assert not parser.complete
    assert not parser.keep_alive


def test_errors_say_what_is_wrong() -> None:
    """The text is our own where the rule is ours, else it gives llhttp's reason."""
    switching = read(b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n")
    assert str(switching.error) == "the provider switches protocols, which was not asked for"
    assert str(read(b"SSH-2.0\r\n").error).startswith("not HTTP/1.1: Expected HTTP/")


def test_body_before_an_error_stays() -> None:
    """What came before the bytes went wrong can still be taken."""
    parser = read(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nwrong\r\n")
    assert parser.take() == b"hello"
    assert isinstance(parser.error, ProtocolError)
    assert not parser.end()


def test_large_heads_are_refused() -> None:
    """A head over 64 KiB is an error, in one read or while it still comes; one below is not."""
    start = b"HTTP/1.1 200 OK\r\nX-A: "
    end = b"\r\nContent-Length: 0\r\n\r\n"
    assert read(start + b"a" * (MAX_UNPRODUCTIVE - 100) + end).complete
    assert isinstance(read(start + b"a" * MAX_UNPRODUCTIVE + end).error, ProtocolError)
    assert isinstance(read(start, *[b"a" * 1024] * 65).error, ProtocolError)
    assert isinstance(read(b"HTTP/1.1 102 P\r\n\r\n" * 4096).error, ProtocolError)


def test_large_bodies_are_not_large_heads() -> None:
    """The limit of the head does not count the body that comes in the same read."""
    body = b"a" * (4 * MAX_UNPRODUCTIVE)
    parser = read(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    assert parser.error is None
    assert parser.take() == body


@pytest.mark.parametrize("padding", [b"1;" + b"x" * 1024, b"0\r\nX-A: " + b"x" * 1024])
def test_endless_framing_is_refused(padding: bytes) -> None:
    """Chunk extensions and trailers may not grow for ever either."""
    parser = read(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", padding)
    assert parser.error is None
    for _ in range(64):
        parser.feed(b"x" * 1024)
    assert isinstance(parser.error, ProtocolError)
