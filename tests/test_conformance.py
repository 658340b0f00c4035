"""What is changed of a request's target and fields before it goes on."""

import pytest

from gateway.wire.conformance import forwarded, origin_form


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/v1/x?a=b", "/v1/x?a=b"),
        ("http://h/v1/x?a=http://i/", "/v1/x?a=http://i/"),
        ("HTTPS://h:1/v1%2Fx;y", "/v1%2Fx;y"),
        ("http://h", "/"),
        ("http://h?a", "/?a"),
        ("//h/v1", "//h/v1"),
        ("ftp://h/v1", "ftp://h/v1"),
        ("*", "*"),
    ],
)
def test_origin_form(target: str, path: str) -> None:
    """Of a whole http address path and query stay, to the octet; anything else stays itself."""
    assert origin_form(target) == path


@pytest.mark.parametrize(
    ("method", "value", "then"),
    [
        ("OPTIONS", b"3", b"2"),
        ("OPTIONS", b"x", b"x"),
        ("OPTIONS", b"9" * 5000, b"9" * 9),
        ("POST", b"3", b"3"),
        ("GET", b"0", b"0"),
    ],
)
def test_max_forwards(method: str, value: bytes, then: bytes) -> None:
    """It counts down for OPTIONS alone, and only if it is a number; from any that is too large, it
    is the largest one that is sent on."""
    others = [(b"X", b"3")]
    assert forwarded(method, [*others, (b"MAX-forwards", value)]) == [
        *others,
        (b"MAX-forwards", then),
    ]
