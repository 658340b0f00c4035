"""What the fields of a head tell Hearth beside what keys, users and policies are tested with."""

import pytest

from gateway.calls.parsed_fields import ParsedFields
from gateway.calls.textfield import MAX_NAME


def test_a_bare_head_tells_nothing() -> None:
    """Every hint is absent, a call stays at home, and an answer comes uncoded."""
    parsed = ParsedFields({})
    assert (parsed.key, parsed.form, parsed.session_id, parsed.overrides) == (None, None, None, {})
    assert (parsed.user_agent, parsed.referer, parsed.title) == (None, None, None)
    assert (parsed.affinity, parsed.codings) == (True, b"identity")


@pytest.mark.parametrize(
    ("names", "attribute"),
    [
        ((b"http-referer", b"referer"), "referer"),
        ((b"x-openrouter-title", b"x-title"), "title"),
    ],
)
def test_openrouters_own_fields_go_first(names: tuple[bytes, bytes], attribute: str) -> None:
    """Of two fields that say the same, the one that was made for it counts."""
    own, other = names
    assert getattr(ParsedFields({other: b"b"}), attribute) == "b"
    assert getattr(ParsedFields({own: b"a", other: b"b"}), attribute) == "a"
    assert getattr(ParsedFields({own: b" ", other: b"b"}), attribute) == "b"


def test_only_a_form_has_its_content_type() -> None:
    """The boundary is kept as it came, however the type is spelled."""
    form = b"Multipart/Form-Data; boundary=X"
    assert ParsedFields({b"content-type": form}).form == form.decode()
    assert ParsedFields({b"content-type": b"application/json"}).form is None


def test_codings_that_cannot_be_metered_are_not_asked_for() -> None:
    """The others keep their order and weights."""
    asked = b"br, gzip;q=0.5, zstd , Deflate"
    assert ParsedFields({b"accept-encoding": asked}).codings == b"gzip;q=0.5, Deflate"


def test_what_a_record_has_room_for() -> None:
    """A program's fields are cut, and a session that is too long is none."""
    long = b"a" * 5000
    names = (b"user-agent", b"referer", b"x-title", b"x-session-id")
    parsed = ParsedFields(dict.fromkeys(names, long))
    assert parsed.user_agent == parsed.referer == parsed.title == "a" * MAX_NAME
    assert parsed.session_id is None


def test_empty_field_gives_way() -> None:
    """The second name of a field counts where the first has nothing."""
    parsed = ParsedFields({b"http-referer": b" ", b"referer": b"https://a.example"})
    assert parsed.referer == "https://a.example"
