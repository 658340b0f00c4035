"""What the fields of a head tell Hearth, read once for all requests that have the same."""

from collections.abc import Mapping

from gateway.calls.credentials import presented_key
from gateway.calls.textfield import MAX_NAME, hint_field

_READABLE_CODINGS = frozenset((b"gzip", b"deflate", b"identity"))
"""Content codings the meter can read; others are not asked for where an answer is metered."""


class ParsedFields:
    """`key`: the one that the request presents. `form`: the Content-Type of a form. `affinity`:
    unless the client asks to be routed as if its user were not known. `overrides`: the
    `x-usagepanda-*` fields, names in lower case. `codings`: those of Accept-Encoding that can be
    metered. `user_agent`, `referer` and `title` are the program's that sent the request, cut at
    MAX_NAME characters.
    """

    def __init__(self, fields: dict[bytes, bytes]) -> None:
        content_type = text_of(fields, b"content-type") or ""
        is_form = content_type[:19].lower() == "multipart/form-data"
        self.key = presented_key(fields)
        self.form = content_type if is_form else None
        self.session_id = hint_field(text_of(fields, b"x-session-id"))
        self.affinity = (text_of(fields, b"x-hearth-affinity") or "").lower() != "off"
        self.overrides = _overrides(fields)
        self.codings = _codings(fields)
        self.user_agent = _first(fields, b"user-agent")
        self.referer = _first(fields, b"http-referer", b"referer")
        self.title = _first(fields, b"x-openrouter-title", b"x-title")


def text_of(fields: dict[bytes, bytes], name: bytes) -> str | None:
    """The value of a field by its lower-case name, trimmed; None when absent or empty."""
    value = fields.get(name)
    return decode_field(value).strip() or None if value else None


def decode_field(value: bytes) -> str:
    """A field's value as text: UTF-8, which HTTP never promised but many send, else Latin-1."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _first(fields: dict[bytes, bytes], *names: bytes) -> str | None:
    """The first of these fields that has a text, cut to what a record has room for."""
    for name in names:
        if text := text_of(fields, name):
            return text[:MAX_NAME]
    return None


def _overrides(fields: dict[bytes, bytes]) -> Mapping[str, str]:
    return {
        name.decode("latin-1"): value.decode("latin-1").strip()
        for name, value in fields.items()
        if name.startswith(b"x-usagepanda-")
    }


def _codings(fields: dict[bytes, bytes]) -> bytes:
    asked = [part.strip() for part in fields.get(b"accept-encoding", b"").split(b",")]
    kept = [part for part in asked if part.split(b";")[0].strip().lower() in _READABLE_CODINGS]
    return b", ".join(kept) or b"identity"
