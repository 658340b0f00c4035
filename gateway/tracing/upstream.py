"""A span for every exchange with a provider, which is propagated to the provider."""

import re
from urllib.parse import urlsplit

from opentelemetry.trace import SpanKind, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.trace.status import StatusCode

from gateway.config import Provider
from gateway.errors import UpstreamError
from gateway.tracing.attributes import Attributes, provider_name
from gateway.wire.response import Response
from gateway.wire.upstream import Send

_CONTEXT_FIELDS = re.compile(rb"\r\n(?:traceparent|tracestate):[^\r\n]*", re.IGNORECASE)
_propagator = TraceContextTextMapPropagator()


class Exchanges:
    """Watches an Upstream: its spans are children of the current one, and end with the head of the
    answer."""

    def __init__(self, tracer: Tracer, settings: Provider) -> None:
        server = urlsplit(settings.base_url)
        self._tracer = tracer
        self._name = settings.name
        self._attributes: Attributes = {
            "hearth.provider": settings.name,
            "gen_ai.provider.name": provider_name(settings),
            "server.address": server.hostname or "",
            "server.port": server.port or (443 if server.scheme == "https" else 80),
        }

    async def __call__(self, send: Send, head: bytes, body: bytes) -> Response:
        """The answer's head, as `send` gives it."""
        method = head.partition(b" ")[0].decode()
        with self._tracer.start_as_current_span(
            f"{method} {self._name}",
            kind=SpanKind.CLIENT,
            attributes={**self._attributes, "http.request.method": method},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                response = await send(_propagated(head), body)
            except UpstreamError as error:
                span.set_attribute("error.type", error.reason)
                span.set_status(StatusCode.ERROR, str(error))
                raise
            span.set_attribute("http.response.status_code", response.status)
            if response.status >= 400:
                span.set_attribute("error.type", str(response.status))
                span.set_status(StatusCode.ERROR)
            return response


def _propagated(head: bytes) -> bytes:
    """`head` with the current span in place of the client's: www.w3.org/TR/trace-context."""
    fields: dict[str, str] = {}
    _propagator.inject(fields)
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return _CONTEXT_FIELDS.sub(b"", head)[:-2] + lines.encode() + b"\r\n"
