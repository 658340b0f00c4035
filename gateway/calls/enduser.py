"""Who the end user of a request is.

The header comes first, as docs.helicone.ai/features/advanced-usage/user-metrics has it, then the
fields of the APIs, the newer ones last.
"""

import re
from typing import Final

import msgspec

from gateway.calls.body import Body, read_metadata
from gateway.calls.call import EndUser
from gateway.calls.head import Head
from gateway.calls.parsed_fields import decode_field
from gateway.calls.textfield import text_field
from gateway.errors import BadRequest

MAX_USER_ID: Final = 512

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def find_end_user(head: Head, body: Body) -> EndUser | None:
    """The first source that is present and not empty; a `user` that is no string is refused."""
    body_user = text_field(body.user, "user")
    if head.user is not None and (header_user := _unquoted(head.user)):
        return EndUser(_checked(header_user, "Helicone-User-Id"), "helicone-user-id")
    if body_user:
        return EndUser(_checked(body_user, "user"), "user")
    if safety_identifier := text_field(body.safety_identifier, "safety_identifier"):
        return EndUser(_checked(safety_identifier, "safety_identifier"), "safety_identifier")
    if user_id := _metadata_user_id(body.metadata):
        return EndUser(_checked(user_id, "metadata.user_id"), "metadata.user_id")
    return None


def _unquoted(value: bytes) -> str:
    """A header's value, trimmed; one pair of double quotes around it is not part of it."""
    text = decode_field(value).strip()
    if len(text) >= 2 and text[0] == text[-1] == '"':
        text = text[1:-1].strip()
    return text


def _metadata_user_id(metadata: msgspec.Raw) -> str | None:
    if not bytes(metadata).startswith(b"{"):
        return None
    try:
        return text_field(read_metadata(metadata).user_id, "metadata.user_id")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest("`metadata.user_id` must be a string", "metadata.user_id") from error


def _checked(user_id: str, field: str) -> str:
    if len(user_id) > MAX_USER_ID:
        found = f"{len(user_id)} found"
        raise BadRequest(f"`{field}` must have 1 to {MAX_USER_ID} characters, {found}", field)
    if not user_id.isprintable() and _CONTROL.search(user_id):
        raise BadRequest(f"`{field}` must not contain control characters", field)
    return user_id
