"""Errors on the wire: status, and body in the envelope of each API."""

from typing import Any

import msgspec
import pytest

from gateway.envelope import Envelope
from gateway.errors import (
    BadRequest,
    ConnectFailed,
    ConnectionLost,
    ExpectationFailed,
    Forbidden,
    GatewayError,
    HeadTooLarge,
    LoopDetected,
    MethodNotAllowed,
    ModelNotFound,
    ModerationUnavailable,
    NoConnection,
    NoProvider,
    NotFound,
    NotImplementedHere,
    PayloadTooLarge,
    PolicyViolation,
    ProtocolError,
    RequestTimeout,
    TimedOut,
    TooManyRequests,
    Unauthorized,
    UnsupportedMediaType,
    UpstreamError,
    UpstreamFailed,
    UpstreamTimeout,
)

ATTEMPTS = [{"provider": "openai-a", "status": 503, "error": None}]

# error, status, OpenAI's type and code, Anthropic's type, OpenRouter's type
Row = tuple[GatewayError, int, str, str | None, str, str]
ERRORS: list[Row] = [
    (
        BadRequest("m", "user"),
        *(400, "invalid_request_error", None, "invalid_request_error", "invalid_request"),
    ),
    (
        TooManyRequests("m", 7),
        *(429, "rate_limit_error", "rate_limit_exceeded"),
        *("rate_limit_error", "rate_limit_exceeded"),
    ),
    (
        Unauthorized("m"),
        *(401, "authentication_error", "invalid_api_key"),
        *("authentication_error", "authentication"),
    ),
    (
        Forbidden("m"),
        *(403, "permission_error", "permission_denied", "permission_error", "permission_denied"),
    ),
    (
        NotFound("m"),
        *(404, "invalid_request_error", "not_found", "not_found_error", "not_found"),
    ),
    (
        ModelNotFound("m"),
        *(404, "invalid_request_error", "model_not_found", "not_found_error", "not_found"),
    ),
    (
        MethodNotAllowed("m", allow="GET"),
        *(405, "invalid_request_error", "method_not_allowed"),
        *("invalid_request_error", "invalid_request"),
    ),
    (
        RequestTimeout("m"),
        *(408, "invalid_request_error", "request_timeout"),
        *("invalid_request_error", "invalid_request"),
    ),
    (
        PayloadTooLarge("m"),
        *(413, "invalid_request_error", "payload_too_large"),
        *("request_too_large", "payload_too_large"),
    ),
    (
        UnsupportedMediaType("m"),
        *(415, "invalid_request_error", "unsupported_media_type"),
        *("invalid_request_error", "invalid_request"),
    ),
    (
        ExpectationFailed("m"),
        *(417, "invalid_request_error", "expectation_failed"),
        *("invalid_request_error", "invalid_request"),
    ),
    (
        HeadTooLarge("m"),
        *(431, "invalid_request_error", "request_head_too_large"),
        *("invalid_request_error", "invalid_request"),
    ),
    (
        NotImplementedHere("m"),
        *(501, "invalid_request_error", "not_implemented", "api_error", "server"),
    ),
    (
        LoopDetected("m"),
        *(508, "upstream_error", "loop_detected", "api_error", "server"),
    ),
    (
        UpstreamFailed("m", ATTEMPTS),
        *(502, "upstream_error", "provider_unavailable", "api_error", "provider_unavailable"),
    ),
    (
        NoProvider("m"),
        *(503, "server_error", "no_provider_available"),
        *("overloaded_error", "provider_overloaded"),
    ),
    (
        NoConnection("m"),
        *(503, "server_error", "no_connection_available"),
        *("overloaded_error", "provider_overloaded"),
    ),
    (
        ModerationUnavailable("m"),
        *(503, "server_error", "moderation_unavailable"),
        *("overloaded_error", "provider_overloaded"),
    ),
    (
        UpstreamTimeout("m", ATTEMPTS),
        *(504, "upstream_error", "provider_timeout", "timeout_error", "timeout"),
    ),
    (GatewayError("m"), *(500, "server_error", None, "api_error", "server")),
]
GUIDE = (
    b'{"error":{"message":"Usage Panda: Config set to block requests without user field",'
    b'"type":"invalid_request","param":null,"code":null}}'
)


def body_of(error: GatewayError, envelope: Envelope) -> Any:
    return msgspec.json.decode(error.body(envelope))


@pytest.mark.parametrize("row", ERRORS, ids=lambda row: type(row[0]).__name__)
def test_error_in_every_envelope(row: Row) -> None:
    """OpenAI's has type, param and code, OpenRouter's the status as code, Anthropic's its types."""
    error, status, kind, code, anthropic, openrouter = row
    assert error.status == status
    assert body_of(error, Envelope.OPENAI) == {
        "error": {"message": "m", "type": kind, "param": error.param, "code": code}
    }
    metadata = {"error_type": openrouter, **error.metadata}
    assert body_of(error, Envelope.OPENROUTER) == {
        "error": {"code": status, "message": "m", "metadata": metadata}
    }
    assert body_of(error, Envelope.ANTHROPIC) == {
        "type": "error",
        "error": {"type": anthropic, "message": "m"},
    }


def test_every_class_is_in_the_table() -> None:
    """A new error has to be given its place in every envelope."""
    listed = {type(error) for error, *_ in ERRORS} | {PolicyViolation}
    here = [c for c in GatewayError.__subclasses__() if c.__module__ == GatewayError.__module__]
    assert {c for c in here if not c.__subclasses__()} <= listed


def test_param_names_the_field() -> None:
    """Only OpenAI's envelope has a place for the field an error is about."""
    assert body_of(BadRequest("m", "user"), Envelope.OPENAI)["error"]["param"] == "user"


def test_openrouter_lists_the_attempts() -> None:
    """What was tried stands in `metadata.previous_errors`, as OpenRouter's own does."""
    metadata = body_of(UpstreamFailed("m", ATTEMPTS), Envelope.OPENROUTER)["error"]["metadata"]
    assert metadata == {"error_type": "provider_unavailable", "previous_errors": ATTEMPTS}


REFUSAL = PolicyViolation("Usage Panda: Config set to block requests without user field")


@pytest.mark.parametrize("envelope", [Envelope.OPENAI, Envelope.ANTHROPIC])
def test_refusal_is_usage_pandas(envelope: Envelope) -> None:
    """The guide's body to the byte, its status and its CORS headers."""
    assert REFUSAL.status == 422
    assert REFUSAL.body(envelope) == GUIDE
    assert REFUSAL.headers == {
        "Access-Control-Allow-Headers": "*",
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": "OPTIONS,POST,GET",
    }


def test_refusal_for_openrouters_clients() -> None:
    """Their SDKs demand a number as the code of every error."""
    assert body_of(REFUSAL, Envelope.OPENROUTER) == {
        "error": {
            "code": 422,
            "message": REFUSAL.message,
            "metadata": {"error_type": "unprocessable"},
        }
    }


def test_headers_an_error_needs() -> None:
    """401 says how to authenticate, 405 what is allowed, 503 when to come back; RFC 9110."""
    assert Unauthorized("m").headers == {"WWW-Authenticate": "Bearer"}
    assert MethodNotAllowed("m", allow="GET, HEAD").headers == {"Allow": "GET, HEAD"}
    assert NoProvider("m").headers == NoConnection("m").headers == {"Retry-After": "1"}
    assert BadRequest("m").headers == {}


def test_text_of_an_error_is_its_message() -> None:
    """Logs and tracebacks show what the client was told."""
    assert str(BadRequest("`user` must be a string", "user")) == "`user` must be a string"


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (ConnectFailed, "connect"),
        (ConnectionLost, "connection_lost"),
        (ProtocolError, "protocol"),
        (TimedOut, "timeout"),
    ],
)
def test_failed_attempts_have_a_reason(kind: type[UpstreamError], reason: str) -> None:
    """The record of an attempt names its failure by one fixed word."""
    assert kind("openai-a:443: gone").reason == reason
    assert not issubclass(kind, GatewayError)
