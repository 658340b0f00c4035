"""Errors as providers word them: OpenAI's everywhere, Anthropic's on its own endpoint."""

from typing import Any, NamedTuple


class _Kind(NamedTuple):
    openai_type: str
    openai_code: str | None
    anthropic_type: str


_KINDS = {
    400: _Kind("invalid_request_error", None, "invalid_request_error"),
    401: _Kind("invalid_request_error", "invalid_api_key", "authentication_error"),
    403: _Kind("invalid_request_error", "unsupported_country_region_territory", "permission_error"),
    404: _Kind("invalid_request_error", "unknown_url", "not_found_error"),
    413: _Kind("invalid_request_error", None, "request_too_large"),
    429: _Kind("requests", "rate_limit_exceeded", "rate_limit_error"),
    503: _Kind("server_error", "service_unavailable", "api_error"),
    529: _Kind("server_error", "overloaded", "overloaded_error"),
}
_CLIENT = _Kind("invalid_request_error", None, "invalid_request_error")
_SERVER = _Kind("server_error", None, "api_error")


class ApiError(Exception):
    """A request the provider turns away with `status`, saying `message`."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    @property
    def headers(self) -> dict[str, str]:
        """When to come back, where waiting helps."""
        return {"Retry-After": "1"} if self.status in (429, 503, 529) else {}

    def openai_body(self) -> dict[str, Any]:
        """platform.openai.com/docs/guides/error-codes."""
        fields = {"message": self.message, "type": self._kind.openai_type, "param": None}
        return {"error": {**fields, "code": self._kind.openai_code}}

    def anthropic_body(self) -> dict[str, Any]:
        """docs.anthropic.com/en/api/errors."""
        error = {"type": self._kind.anthropic_type, "message": self.message}
        return {"type": "error", "error": error}

    @property
    def _kind(self) -> _Kind:
        return _KINDS.get(self.status, _CLIENT if self.status < 500 else _SERVER)
