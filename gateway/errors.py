"""What can go wrong with a request, as one tree; a class is an HTTP status, a type and a code.

    GatewayError
    ├── BadRequest            400  the request cannot be understood
    ├── Unauthorized          401  no key, or one that is not known
    ├── Forbidden             403  a key that may not do this
    ├── NotFound              404  no such thing
    │   └── ModelNotFound     404  no provider serves the model
    ├── MethodNotAllowed      405
    ├── RequestTimeout        408  a head or a body that does not come
    ├── PayloadTooLarge       413  body over `server.max_body`
    ├── UnsupportedMediaType  415  a body in a coding that cannot be read
    ├── ExpectationFailed     417  an expectation nobody knows
    ├── PolicyViolation       422  refused by a policy
    ├── TooManyRequests       429  more of them than a key may send
    ├── HeadTooLarge          431  line and fields over their limits
    ├── NotImplementedHere    501  a method or a transfer coding that nobody here knows
    ├── Attempted                  providers were tried; carries the attempts
    │   ├── UpstreamFailed    502  none answered
    │   └── UpstreamTimeout   504  the same, and the last attempt ran out of time
    ├── Unavailable           503  not now; worth trying again in a second
    │   ├── NoProvider             providers exist, none can take the call
    │   ├── NoConnection           Hearth itself cannot open one more
    │   └── ModerationUnavailable  a call that must be moderated cannot be
    └── LoopDetected          508  the request has been here before

    UpstreamError             one attempt at one provider; the proxy decides what becomes of it
    ├── ConnectFailed         nothing was sent
    ├── ConnectionLost        sent, and the connection ended before the answer did
    ├── ProtocolError         the provider's bytes are not HTTP/1.1
    └── TimedOut              connect, first byte or idle

How an error looks on the wire depends on the API that was called: gateway.envelope. The ledger adds
two of its own, StoreUnavailable (503) and TooManyUsers (400): gateway.ledger.store.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from gateway.envelope import Envelope, error_body


class GatewayError(Exception):
    """An answer Hearth gives instead of a provider.

    `message` names what is wrong and where; `param` is the request field it is about, if one is.
    """

    status: ClassVar[int] = 500
    type: ClassVar[str] = "server_error"
    code: ClassVar[str | None] = None
    headers: ClassVar[Mapping[str, str]] = {}

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param

    @property
    def metadata(self) -> dict[str, Any]:
        """What OpenRouter's envelope carries beside code, message and type."""
        return {}

    def body(self, envelope: Envelope) -> bytes:
        """The JSON body in the shape of `envelope`."""
        return error_body(self, envelope)


class BadRequest(GatewayError):
    status = 400
    type = "invalid_request_error"


class Unauthorized(GatewayError):
    status = 401
    type = "authentication_error"
    code = "invalid_api_key"
    headers: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": "Bearer"}


class Forbidden(GatewayError):
    status = 403
    type = "permission_error"
    code = "permission_denied"


class NotFound(GatewayError):
    status = 404
    type = "invalid_request_error"
    code = "not_found"


class ModelNotFound(NotFound):
    """No configured provider serves the model."""

    code = "model_not_found"


class MethodNotAllowed(GatewayError):
    status = 405
    type = "invalid_request_error"
    code = "method_not_allowed"

    def __init__(self, message: str, allow: str) -> None:
        super().__init__(message)
        self.headers: Mapping[str, str] = {"Allow": allow}  # type: ignore[misc]  # per instance here


class RequestTimeout(GatewayError):
    status = 408
    type = "invalid_request_error"
    code = "request_timeout"


class PayloadTooLarge(GatewayError):
    status = 413
    type = "invalid_request_error"
    code = "payload_too_large"


class UnsupportedMediaType(GatewayError):
    status = 415
    type = "invalid_request_error"
    code = "unsupported_media_type"


class ExpectationFailed(GatewayError):
    status = 417
    type = "invalid_request_error"
    code = "expectation_failed"


class TooManyRequests(GatewayError):
    """More requests than a key may send; `retry_after` is in whole seconds."""

    status = 429
    type = "rate_limit_error"
    code = "rate_limit_exceeded"

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.headers: Mapping[str, str] = {"Retry-After": str(retry_after)}  # type: ignore[misc]  # per instance here


class HeadTooLarge(GatewayError):
    status = 431
    type = "invalid_request_error"
    code = "request_head_too_large"


class NotImplementedHere(GatewayError):
    status = 501
    type = "invalid_request_error"
    code = "not_implemented"


class LoopDetected(GatewayError):
    status = 508
    type = "upstream_error"
    code = "loop_detected"


class Attempted(GatewayError):
    """Providers were tried and none answered; the attempts are listed in the message."""

    def __init__(self, message: str, attempts: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(message)
        self.attempts = attempts

    @property
    def metadata(self) -> dict[str, Any]:
        return {"previous_errors": list(self.attempts)}


class UpstreamFailed(Attempted):
    status = 502
    type = "upstream_error"
    code = "provider_unavailable"


class UpstreamTimeout(Attempted):
    status = 504
    type = "upstream_error"
    code = "provider_timeout"


class Unavailable(GatewayError):
    """What is needed is not there now, and may be in a second."""

    status = 503
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "1"}


class NoProvider(Unavailable):
    code = "no_provider_available"


class NoConnection(Unavailable):
    """This process, or its machine, cannot open one more; no provider is to blame."""

    code = "no_connection_available"


class ModerationUnavailable(Unavailable):
    code = "moderation_unavailable"


class PolicyViolation(GatewayError):
    """A policy said no. The body is Usage Panda's, but for OpenRouter's SDKs, which refuse it.

    Status, body and CORS headers: Usage Panda's guide "Policy: Enforce User IDs".
    """

    status = 422
    type = "invalid_request"
    headers: ClassVar[Mapping[str, str]] = {
        "Access-Control-Allow-Headers": "*",
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": "OPTIONS,POST,GET",
    }

    def body(self, envelope: Envelope) -> bytes:
        is_openrouter = envelope is Envelope.OPENROUTER
        return super().body(envelope if is_openrouter else Envelope.OPENAI)


class UpstreamError(Exception):
    """One attempt at one provider failed; the text says how, without any credential."""

    reason: ClassVar[str] = "failed"


class ConnectFailed(UpstreamError):
    reason = "connect"


class ConnectionLost(UpstreamError):
    reason = "connection_lost"


class ProtocolError(UpstreamError):
    reason = "protocol"


class TimedOut(UpstreamError):
    reason = "timeout"
