"""Header look-up: any case, first line, trimmed, in the coding the client used."""

import pytest

from tests.parts.requests import request


def test_names_have_no_case() -> None:
    """A field is found however its sender spells it, and the lines keep that spelling."""
    subject = request((b"X-Session-ID", b"s"))
    assert subject.header(b"x-session-id") == "s"
    assert subject.head.headers == [(b"X-Session-ID", b"s")]


def test_first_line_of_a_repeated_field_counts() -> None:
    """A second line of the same field does not change what the first says."""
    subject = request((b"User-Id", b"first"), (b"user-id", b"second"))
    assert subject.head.fields == {b"user-id": b"first"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b" a b\t", "a b"),
        (b"", None),
        (b" \t", None),
        ("Zoë".encode(), "Zoë"),
        ("Zoë".encode("latin-1"), "Zoë"),
        (b"\xff", "ÿ"),
    ],
)
def test_value_is_text_or_none(value: bytes, text: str | None) -> None:
    """UTF-8 where it is UTF-8, else Latin-1; blank is absent."""
    assert request((b"x", value)).header(b"x") == text


def test_absent_field_is_none() -> None:
    """What was not sent has no value."""
    assert request().header(b"x") is None
