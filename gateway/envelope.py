"""How an error looks on the wire: that depends on the API that was called."""

from collections.abc import Mapping
from enum import Enum
from typing import Any, Protocol

import msgspec


class Envelope(Enum):
    """The API whose error shape the caller understands."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    OPENROUTER = "openrouter"
    HELICONE = "helicone"


class Failure(Protocol):
    """What there is to say of an error.

    `type` and `code` are OpenAI's words, `param` is the request's field that it is about, and
    `metadata` what OpenRouter's envelope carries beside them.
    """

    @property
    def status(self) -> int: ...
    @property
    def type(self) -> str: ...
    @property
    def code(self) -> str | None: ...
    @property
    def message(self) -> str: ...
    @property
    def param(self) -> str | None: ...
    @property
    def metadata(self) -> Mapping[str, Any]: ...


def error_body(error: Failure, envelope: Envelope) -> bytes:
    """The JSON body that says so in the form of `envelope`."""
    return msgspec.json.encode(_SHAPES[envelope](error))


def _openai(error: Failure) -> dict[str, Any]:
    """platform.openai.com/docs/guides/error-codes, as the SDKs parse it."""
    fields = {"message": error.message, "type": error.type, "param": error.param}
    return {"error": {**fields, "code": error.code}}


_OPENROUTER_TYPES = {
    400: "invalid_request",
    401: "authentication",
    403: "permission_denied",
    404: "not_found",
    413: "payload_too_large",
    422: "unprocessable",
    429: "rate_limit_exceeded",
    502: "provider_unavailable",
    503: "provider_overloaded",
    504: "timeout",
}


def _openrouter(error: Failure) -> dict[str, Any]:
    """openrouter.ai/docs/api-reference/errors: `code` is the HTTP status."""
    other = "invalid_request" if error.status < 500 else "server"
    kind = _OPENROUTER_TYPES.get(error.status, other)
    metadata = {"error_type": kind, **error.metadata}
    return {"error": {"code": error.status, "message": error.message, "metadata": metadata}}


_ANTHROPIC_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}


def _anthropic(error: Failure) -> dict[str, Any]:
    """docs.anthropic.com/en/api/errors; there, too, other 4xx are `invalid_request_error`."""
    other = "invalid_request_error" if error.status < 500 else "api_error"
    kind = _ANTHROPIC_TYPES.get(error.status, other)
    return {"type": "error", "error": {"type": kind, "message": error.message}}


def _helicone(error: Failure) -> dict[str, Any]:
    """docs.helicone.ai/rest/user/post-v1usermetricsquery: a result that is only an error."""
    return {"data": None, "error": error.message}


_SHAPES = {
    Envelope.OPENAI: _openai,
    Envelope.ANTHROPIC: _anthropic,
    Envelope.OPENROUTER: _openrouter,
    Envelope.HELICONE: _helicone,
}
