"""The head of an answer, to the byte."""

import pytest

from gateway.wire.answer_head import answer_head, has_body


def test_known_length() -> None:
    """Status line, fields in order, Date, and the length."""
    fields = [(b"X-One", b"1"), (b"x-one", b"2")]
    assert answer_head(200, fields, 5, 0, keep_alive=True) == (
        b"HTTP/1.1 200 OK\r\nX-One: 1\r\nx-one: 2\r\n"
        b"Date: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 5\r\n\r\n"
    )


def test_unknown_length() -> None:
    """Without a length the body is chunked; the last answer says that it is the last."""
    assert answer_head(503, [(b"date", b"now")], None, 0, keep_alive=False) == (
        b"HTTP/1.1 503 Service Unavailable\r\ndate: now\r\n"
        b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    )


@pytest.mark.parametrize("status", [204, 304])
def test_no_body(status: int) -> None:
    """A status without a body has no framing (RFC 9112 section 6.3)."""
    head = answer_head(status, [], 5, 0, keep_alive=True).lower()
    assert not has_body(status)
    assert b"content-length" not in head
    assert b"transfer-encoding" not in head


def test_unknown_status() -> None:
    """A status without a name keeps the space that ends its code (RFC 9112 section 4)."""
    assert answer_head(599, [], 0, 0, keep_alive=True).startswith(b"HTTP/1.1 599 \r\n")
