"""JSON bodies of the API, read strictly: an unknown field is a 400 that names it."""

from typing import TypeVar

import msgspec

from gateway.calls.request import Request
from gateway.errors import BadRequest


class JsonBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A JSON object; unknown fields are errors."""


T = TypeVar("T", bound=JsonBody)


def read_json_body(request: Request, kind: type[T]) -> T:
    """The body as a `kind`. Raises BadRequest, which names the field that is wrong and its path."""
    try:
        return msgspec.json.decode(request.body, type=kind)
    except msgspec.ValidationError as error:
        raise BadRequest(f"Invalid request parameters: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f"The body is not JSON: {error}") from error
    except RecursionError as error:
        raise BadRequest("The body is nested too deeply") from error
