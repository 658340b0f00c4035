"""What was asked: the fields that routing, policies and metering need, and whose request it is.

Only these fields are decoded (msgspec skips the rest without building it); the body itself is
forwarded as the bytes that came.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.config import StickySource
from gateway.endpoint import Endpoint
from gateway.errors import BadRequest
from gateway.form import read_form
from gateway.request import Request

MAX_USER_ID = 512


class EndUser(msgspec.Struct, frozen=True):
    """Who the app acts for. `source` is the field the id came from."""

    id: str
    source: str


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A request, understood.

    `asks_usage`: the client itself asked for `stream_options.include_usage`.
    `is_json`: the body is a JSON object whose top-level fields may be rewritten.
    `overrides`: the `x-usagepanda-*` fields, names in lower case; what policies may be told.
    """

    endpoint: Endpoint
    tenant: str
    user: EndUser | None = None
    session_id: str | None = None
    prompt_cache_key: str | None = None
    model: str | None = None
    stream: bool = False
    asks_usage: bool = False
    is_json: bool = False
    overrides: Mapping[str, str] = {}

    @property
    def hides_usage(self) -> bool:
        """Whether usage is asked for on Hearth's own account, and kept from the client.

        `stream_options.include_usage` exists in Chat Completions and Completions only.
        """
        speaks = self.endpoint.dialect in ("chat", "completions")
        return speaks and self.is_json and self.stream and not self.asks_usage

    def sticky_key(self, sources: tuple[StickySource, ...]) -> bytes | None:
        """`tenant \\0 id` of the first source that has one: where on the ring this call lives."""
        values = {
            "user": self.user.id if self.user else None,
            "session_id": self.session_id,
            "prompt_cache_key": self.prompt_cache_key,
        }
        found = next((values[source] for source in sources if values[source]), None)
        return f"{self.tenant}\0{found}".encode() if found else None


class _Body(msgspec.Struct):
    """The decoded fields; any JSON type, so that the error for a wrong one can name the field."""

    model: Any = None
    user: Any = None
    safety_identifier: Any = None
    metadata: msgspec.Raw = msgspec.Raw(b"null")
    session_id: Any = None
    prompt_cache_key: Any = None
    stream: Any = None
    stream_options: Any = None


class _Metadata(msgspec.Struct):
    user_id: str | None = None


_FORM_FIELDS = (
    *("model", "user", "safety_identifier"),
    *("session_id", "prompt_cache_key", "stream"),
)
_decode_body = msgspec.json.Decoder(_Body).decode
_decode_metadata = msgspec.json.Decoder(_Metadata).decode
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def read_call(request: Request, endpoint: Endpoint, tenant: str) -> Call:
    """The Call in `request`; BadRequest names the field that is wrong."""
    content_type = request.header(b"content-type") or ""
    is_form = content_type[:19].lower() == "multipart/form-data"
    is_read = endpoint.known and bool(request.body)
    is_json = is_read and not is_form
    body = _Body()
    if is_json:
        body = _read_json(request.body)
    elif is_read:
        body = msgspec.convert(read_form(request.body, content_type, _FORM_FIELDS), _Body)
    return Call(
        endpoint=endpoint,
        tenant=tenant,
        user=_end_user(request, body),
        session_id=_hint(body.session_id) or request.header(b"x-session-id"),
        prompt_cache_key=_hint(body.prompt_cache_key),
        model=_text(body.model, "model"),
        stream=body.stream in (True, "true"),
        asks_usage=_asks_usage(body.stream_options),
        is_json=is_json,
        overrides={
            name.decode("latin-1"): value.decode("latin-1").strip()
            for name, value in request.fields.items()
            if name.startswith(b"x-usagepanda-")
        },
    )


def _read_json(body: bytes) -> _Body:
    try:
        return _decode_body(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if field := _garbled_field(body):
            raise BadRequest(f"`{field}` must be a string of valid Unicode", field) from error
        raise BadRequest(f"The body is not a JSON object: {error}") from error


def _garbled_field(body: bytes) -> str | None:
    """The id that made `body` unreadable, if one did; only asked once it is known to be.

    JSON permits half a surrogate pair and numbers of any size (RFC 8259 sections 6 and 8.2), which
    are no text; told apart by a parser that takes them.
    """
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


def _end_user(request: Request, body: _Body) -> EndUser | None:
    """The first source that is present and not empty; a `user` of another type is never right."""
    body_user = _text(body.user, "user")
    header = request.header(b"helicone-user-id")
    if header and len(header) >= 2 and header[0] == header[-1] == '"':
        header = header[1:-1].strip()
    if header:
        return EndUser(_checked(header, "Helicone-User-Id"), "helicone-user-id")
    if body_user:
        return EndUser(_checked(body_user, "user"), "user")
    if safety_identifier := _text(body.safety_identifier, "safety_identifier"):
        return EndUser(_checked(safety_identifier, "safety_identifier"), "safety_identifier")
    if user_id := _metadata_user_id(body.metadata):
        return EndUser(_checked(user_id, "metadata.user_id"), "metadata.user_id")
    return None


def _metadata_user_id(metadata: msgspec.Raw) -> str | None:
    if not bytes(metadata).startswith(b"{"):
        return None
    try:
        return _text(_decode_metadata(metadata).user_id, "metadata.user_id")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest("`metadata.user_id` must be a string", "metadata.user_id") from error


def _checked(user_id: str, field: str) -> str:
    if len(user_id) > MAX_USER_ID:
        found = f"{len(user_id)} found"
        raise BadRequest(f"`{field}` must have 1 to {MAX_USER_ID} characters, {found}", field)
    if _CONTROL.search(user_id):
        raise BadRequest(f"`{field}` must not contain control characters", field)
    return user_id


def _text(value: object, field: str) -> str | None:
    """A string field, trimmed; None when absent, null or blank."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise BadRequest(f"`{field}` must be a string", field)
    return value.strip() or None


def _hint(value: object) -> str | None:
    """A string field that only steers routing; what else stands there is the provider's affair."""
    return value.strip() or None if isinstance(value, str) else None


def _asks_usage(stream_options: object) -> bool:
    if stream_options is None:
        return False
    if not isinstance(stream_options, dict):
        raise BadRequest("`stream_options` must be an object", "stream_options")
    return stream_options.get("include_usage") is True
