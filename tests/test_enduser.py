"""Who the end user is: sources, precedence, normalisation, limits."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.call import EndUser
from tests.parts.readings import FORM, form, read, read_fields, refusal, with_user_id

SOURCES = (
    ("user", {"user": "from-user"}),
    ("safety_identifier", {"safety_identifier": "from-safety"}),
    ("metadata.user_id", {"metadata": {"user_id": "from-metadata"}}),
)


@pytest.mark.parametrize("first", range(len(SOURCES)))
def test_earlier_source_wins(first: int) -> None:
    """Header, `user`, `safety_identifier`, `metadata.user_id`: the first that is there counts."""
    fields = {name: value for _, part in SOURCES[first:] for name, value in part.items()}
    name, part = SOURCES[first]
    expected = str(part.get(name, "from-metadata"))
    assert read_fields(**fields).user == EndUser(expected, name)
    body = json.dumps(fields).encode()
    assert with_user_id(b"from-header", body) == EndUser("from-header", "helicone-user-id")


@pytest.mark.parametrize("empty", ["", "  ", None])
def test_empty_source_falls_through_to_the_next(empty: str | None) -> None:
    """A source that is blank or null counts as absent."""
    call = read_fields(user=empty, safety_identifier=empty, metadata={"user_id": "u"})
    assert call.user == EndUser("u", "metadata.user_id")


@pytest.mark.parametrize("value", [b"", b"  ", b'""', b'"  "'])
def test_empty_header_falls_through_to_the_body(value: bytes) -> None:
    """A `Helicone-User-Id` without an id is as good as none."""
    assert with_user_id(value, b'{"user":"u"}') == EndUser("u", "user")


def test_nobody() -> None:
    """Without any source there is no end user."""
    assert read_fields(model="m", metadata={"topic": "t"}).user is None
    assert read_fields(metadata=None).user is None
    assert read(b"").user is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b'"alicebob@gmail.com"', "alicebob@gmail.com"),  # as Helicone's own curl sends it
        (b' " u " ', "u"),
        (b'""u""', '"u"'),
        (b'"u', '"u'),
        (b'"', '"'),
        (b"'u'", "'u'"),
        (b"\ttabs outside\t", "tabs outside"),
        ("Zoë".encode(), "Zoë"),
        ("Zoë".encode("latin-1"), "Zoë"),
    ],
)
def test_header_is_trimmed_and_unquoted_once(value: bytes, expected: str) -> None:
    """One pair of double quotes goes; another, or half of one, is part of the id."""
    assert with_user_id(value) == EndUser(expected, "helicone-user-id")


def test_quotes_in_the_body_are_part_of_the_id() -> None:
    """Only the header is unquoted: JSON has its own quotes."""
    assert read_fields(user=' "u" ').user == EndUser('"u"', "user")


@pytest.mark.parametrize("value", [0, 7, 1.5, False, True, [], ["u"], {}, {"id": "u"}])
def test_user_of_another_type_is_refused(value: object) -> None:
    """A `user` that is no string is a mistake, and no reason to look elsewhere."""
    body = json.dumps({"user": value, "safety_identifier": "s"}).encode()
    error = refusal(body, (b"Helicone-User-Id", b"u"))
    assert error.param == "user"
    assert "`user`" in error.message


@pytest.mark.parametrize("character", ["\0", "\t", "\n", "\r", "\x1b", "\x7f", "\x80", "\x9f"])
def test_control_characters_are_refused(character: str) -> None:
    """C0, DEL and C1 inside an id are a 400 that names the field, from the header as well."""
    user_id = f"a{character}b"
    for field in ("user", "safety_identifier"):
        assert refusal(json.dumps({field: user_id}).encode()).param == field
    metadata = {"metadata": {"user_id": user_id}}
    assert refusal(json.dumps(metadata).encode()).param == "metadata.user_id"
    assert refusal(b"{}", (b"Helicone-User-Id", user_id.encode())).param == "Helicone-User-Id"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (rb'{"user":"\ud800"}', "user"),
        (rb'{"user":"a\udc00b"}', "user"),
        (b'{"user":"a\xffb"}', "user"),
        (b'{"user":"\xed\xa0\x80"}', "user"),
        (rb'{"safety_identifier":"\ud83d "}', "safety_identifier"),
        (rb'{"metadata":{"user_id":"\ud800"}}', "metadata.user_id"),
        (b'{"metadata":{"user_id":"\xff"}}', "metadata.user_id"),
    ],
)
def test_ids_that_are_not_unicode_are_refused(body: bytes, field: str) -> None:
    """Half a surrogate pair and broken UTF-8 are no text; the error names the field."""
    error = refusal(body)
    assert error.param == field
    assert f"`{field}`" in error.message


@pytest.mark.parametrize(
    "user_id", ["用户", "😀", "e\u0301", "a b", "x/y?z=%20", "'--", "\u202eabc"]
)
def test_any_other_text_is_an_id(user_id: str) -> None:
    """Ids are opaque: no alphabet is prescribed and nothing is normalised."""
    assert read_fields(user=user_id).user == EndUser(user_id, "user")
    assert with_user_id(user_id.encode()) == EndUser(user_id, "helicone-user-id")


def test_surrogate_pair_is_one_character() -> None:
    """An escaped pair is the character it stands for."""
    assert read(rb'{"user":"\ud83d\ude00"}').user == EndUser("😀", "user")


def test_id_has_at_most_512_characters() -> None:
    """512 characters, not bytes, pass; one more is refused wherever it stands."""
    assert read_fields(user="ü" * 512).user == EndUser("ü" * 512, "user")
    assert with_user_id(b'"' + b"x" * 512 + b'"') == EndUser("x" * 512, "helicone-user-id")
    error = refusal(json.dumps({"user": "x" * 513}).encode())
    assert (error.param, "513" in error.message) == ("user", True)
    assert refusal(b"{}", (b"Helicone-User-Id", b"x" * 513)).param == "Helicone-User-Id"
    assert refusal(form(("user", "x" * 100_000)), FORM).param == "user"


@pytest.mark.heavy
@given(st.text(min_size=1, max_size=512))
def test_every_id_is_taken_as_it_is_or_refused(user_id: str) -> None:
    """No id is ever changed but for the blanks around it."""
    if any(ord(c) < 32 or 127 <= ord(c) < 160 for c in user_id.strip()):
        assert refusal(json.dumps({"user": user_id}).encode()).param == "user"
    else:
        expected = EndUser(user_id.strip(), "user") if user_id.strip() else None
        assert read_fields(user=user_id).user == expected


@pytest.mark.parametrize("metadata", ["text", 3, [], ["user_id"], True, None])
def test_metadata_of_another_type_names_nobody(metadata: object) -> None:
    """What else `metadata` may be is the provider's affair."""
    assert read_fields(metadata=metadata).user is None


def test_header_goes_before_a_form_field() -> None:
    """Precedence is the same for a form."""
    call = read(form(("user", "u")), FORM, (b"Helicone-User-Id", b"h"))
    assert call.user == EndUser("h", "helicone-user-id")


def test_file_called_user_is_no_user() -> None:
    """A file's content is never taken for an id."""
    assert read(form(('"user"; filename="u.txt"', "u")), FORM).user is None
