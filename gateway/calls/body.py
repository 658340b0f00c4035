"""The body's fields that Hearth reads, out of JSON or a form.

msgspec skips what is not asked for without building it. A field may have any JSON type here, so
that the error for a wrong one can name it; but what is in an object or an array that has no place
there is skipped as well. Built, it would take thirty times the memory of its text.
"""

import json
import re
from typing import TypedDict

import msgspec

from gateway.calls.form import read_form
from gateway.errors import BadRequest

_SURROGATE = re.compile(r"[\ud800-\udfff]")
_FORM_FIELDS = (
    *("model", "user", "safety_identifier"),
    *("session_id", "prompt_cache_key", "stream"),
)
_LONGEST_EXPLAINED = 1024 * 1024
"""Bytes of a body that is read again, to say what is wrong with it."""


class _Object(TypedDict):
    """A JSON object of which nothing is read."""


class _Array(msgspec.Struct, array_like=True, gc=False):
    """A JSON array of which nothing is read."""


Scalar = str | int | float | bool | None
Value = Scalar | _Object | _Array


class Options(TypedDict, total=False):
    """Of `stream_options` and `usage`, what they say of usage."""

    include_usage: Value
    include: Value


NULL = msgspec.Raw(b"null")
"""The value of an undecoded field that is absent."""


class Body(msgspec.Struct, gc=False):
    """The decoded fields; what few calls have, or few parts of which are read, stays undecoded."""

    model: Value = None
    user: Value = None
    safety_identifier: Value = None
    metadata: msgspec.Raw = NULL
    session_id: Value = None
    prompt_cache_key: Value = None
    stream: Value = None
    stream_options: Scalar | Options | _Array = None
    usage: Scalar | Options | _Array = None
    models: msgspec.Raw = NULL
    provider: msgspec.Raw = NULL


class Metadata(msgspec.Struct):
    """Anthropic's object of that name."""

    user_id: str | None = None


_decode = msgspec.json.Decoder(Body).decode
read_metadata = msgspec.json.Decoder(Metadata).decode
read_names = msgspec.json.Decoder(list[str] | None).decode
"""Both raise msgspec.DecodeError, or UnicodeDecodeError, where it is not what they say."""


def read_json_fields(body: bytes) -> Body:
    """The fields of a JSON object; BadRequest says where it is none, or which id is not text."""
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if field := _garbled_field(body):
            raise BadRequest(f"`{field}` must be a string of valid Unicode", field) from error
        raise BadRequest(f"The body is not a JSON object: {error}") from error


def read_form_fields(body: bytes, content_type: str) -> Body:
    """The fields of a multipart form; BadRequest when it is broken."""
    return msgspec.convert(read_form(body, content_type, _FORM_FIELDS), Body)


def _garbled_field(body: bytes) -> str | None:
    """The id that made an unreadable `body` so, if one did.

    JSON permits half a surrogate pair, and numbers of any size (RFC 8259 sections 6 and 8.2). The
    standard library's parser takes both, but builds all that is there: too much of a large body.
    """
    if len(body) > _LONGEST_EXPLAINED:
        return None
    try:
        fields = json.loads(body.decode(errors="surrogateescape"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict):
        return None
    metadata = fields.get("metadata")
    ids = {
        "user": fields.get("user"),
        "safety_identifier": fields.get("safety_identifier"),
        "metadata.user_id": metadata.get("user_id") if isinstance(metadata, dict) else None,
    }
    return next((field for field, value in ids.items() if not _is_text(value)), None)


def _is_text(value: object) -> bool:
    return value is None or (isinstance(value, str) and not _SURROGATE.search(value))
