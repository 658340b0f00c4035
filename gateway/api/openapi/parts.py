"""Pieces of a description that several operations have in common."""

from collections.abc import Collection
from typing import Any

from gateway.api.ledger_view import LAG_HEADER
from gateway.api.operation import Parameter
from gateway.envelope import Envelope

Json = dict[str, Any]

STATUSES = {
    400: "The request cannot be understood; the message names what is wrong, and where",
    401: "No key, or one that is not known",
    403: "This key may not do this",
    404: "There is no such thing",
    405: "This method is not allowed here",
    408: "It took too long",
    413: "The body is over `server.max_body`",
    415: "The body is in a coding that cannot be read",
    422: "Refused by a policy",
    429: "More requests than this key may send",
    502: "No provider answered",
    503: "The ledger's store, or every provider, is away",
    504: "No provider answered in time",
    508: "The request has been here before",
}

_TEXT: Json = {"type": "string"}
_TEXT_OR_NULL: Json = {"type": ["string", "null"]}


def _object(required: Collection[str], **properties: Json) -> Json:
    return {"type": "object", "required": [*required], "properties": properties}


ERRORS: dict[Envelope, Json] = {
    Envelope.OPENAI: _object(
        ("error",),
        error=_object(
            ("message", "type", "param", "code"),
            message=_TEXT,
            type=_TEXT,
            param=_TEXT_OR_NULL,
            code=_TEXT_OR_NULL,
        ),
    ),
    Envelope.ANTHROPIC: _object(
        ("type", "error"),
        type={"const": "error"},
        error=_object(("type", "message"), type=_TEXT, message=_TEXT),
    ),
    Envelope.OPENROUTER: _object(
        ("error",),
        error=_object(
            ("code", "message", "metadata"),
            code={"type": "integer"},
            message=_TEXT,
            metadata=_object(("error_type",), error_type=_TEXT),
        ),
    ),
    Envelope.HELICONE: _object(("data", "error"), data={"type": "null"}, error=_TEXT),
}
"""What an error looks like in each envelope; `gateway.envelope` writes them."""

LAG: Json = {
    LAG_HEADER: {
        "description": "Seconds since the oldest call ended that is not counted yet",
        "required": True,
        "schema": {"type": "number", "minimum": 0},
    }
}


def reference(name: str) -> Json:
    """A reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


def content(schema: Json, media: str = "application/json") -> Json:
    """A body of one media type."""
    return {media: {"schema": schema}}


def failures(statuses: Collection[int], envelope: Envelope) -> Json:
    """The error answers with these statuses."""
    body = content(reference(error_name(envelope)))
    return {
        str(status): {"description": STATUSES[status], "content": body}
        for status in sorted(statuses)
    }


def error_name(envelope: Envelope) -> str:
    """The component of its errors."""
    return f"{envelope.value.capitalize()}Error"


def parameter(each: Parameter, schema: Json) -> Json:
    """A query parameter; an empty one is as good as none."""
    return {
        "name": each.name,
        "in": "query",
        "description": each.text,
        "required": each.required,
        "allowEmptyValue": True,
        "schema": schema,
    }
