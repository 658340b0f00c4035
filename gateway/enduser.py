"""Who the end user of a request is.

The header comes first, as docs.helicone.ai/features/advanced-usage/user-metrics has it, then the
fields of the APIs, the newer ones last.
"""

import re
from functools import lru_cache

import msgspec

from gateway.body import Body, read_metadata, text_field
from gateway.call import EndUser
from gateway.errors import BadRequest
from gateway.request import HEADS, Head, Request

MAX_USER_ID = 512

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def find_end_user(request: Request, body: Body) -> EndUser | None:
    """The first source that is present and not empty; a `user` of another type is never right."""
    body_user = text_field(body.user, "user")
    if header_user := _user_of(request.head):
        return header_user
    if body_user:
        return EndUser(_checked(body_user, "user"), "user")
    if safety_identifier := text_field(body.safety_identifier, "safety_identifier"):
        return EndUser(_checked(safety_identifier, "safety_identifier"), "safety_identifier")
    if user_id := _metadata_user_id(body.metadata):
        return EndUser(_checked(user_id, "metadata.user_id"), "metadata.user_id")
    return None


@lru_cache(maxsize=HEADS)
def _user_of(head: Head) -> EndUser | None:
    header = head.field(b"helicone-user-id")
    if header and len(header) >= 2 and header[0] == header[-1] == '"':
        header = header[1:-1].strip()
    if not header:
        return None
    return EndUser(_checked(header, "Helicone-User-Id"), "helicone-user-id")


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
