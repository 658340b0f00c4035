"""Questions that come as a JSON body, read strictly: what nobody knows is a 400 that names it."""

from typing import TypeVar

import msgspec

from gateway.errors import BadRequest
from gateway.request import Request


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A JSON object of a question; a field it does not have is an error."""


T = TypeVar("T", bound=Asked)


def read_asked(request: Request, kind: type[T]) -> T:
    """The body as a `kind`; BadRequest names the field that is wrong, and its place."""
    try:
        return msgspec.json.decode(request.body, type=kind)
    except msgspec.ValidationError as error:
        raise BadRequest(f"Invalid request parameters: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f"The body is not JSON: {error}") from error
    except RecursionError as error:
        raise BadRequest("The body is nested too deeply") from error
