"""A provider's client that makes a span of every exchange, and tells the provider of it."""

import re
import ssl

from opentelemetry.trace import SpanKind, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.trace.status import StatusCode

from gateway.config import Provider
from gateway.errors import UpstreamError
from gateway.tracing.attributes import Attributes, provider_name
from gateway.wire.upstream import Response, Upstream

_CONTEXT_FIELDS = re.compile(rb"\r\n(?:traceparent|tracestate):[^\r\n]*", re.IGNORECASE)
_propagator = TraceContextTextMapPropagator()


class TracedUpstream(Upstream):
    """Its spans are children of the current one and end with the head of the answer."""

    def __init__(
        self, tracer: Tracer, settings: Provider, ssl_context: ssl.SSLContext | None
    ) -> None:
        super().__init__(settings.base_url, settings.timeouts, ssl_context)
        self._tracer = tracer
        self._name = f"POST {settings.name}"
        self._attributes: Attributes = {
            "hearth.provider": settings.name,
            "gen_ai.provider.name": provider_name(settings),
            "server.address": self._host,
            "server.port": self._port,
        }

    async def send(self, head: bytes, body: bytes) -> Response:
        """As `Upstream.send`."""
        with self._tracer.start_as_current_span(
            self._name,
            kind=SpanKind.CLIENT,
            attributes=self._attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                response = await super().send(_told(head), body)
            except UpstreamError as error:
                span.set_attribute("error.type", error.reason)
                span.set_status(StatusCode.ERROR, str(error))
                raise
            span.set_attribute("http.response.status_code", response.status)
            if response.status >= 400:
                span.set_attribute("error.type", str(response.status))
                span.set_status(StatusCode.ERROR)
            return response


def _told(head: bytes) -> bytes:
    """`head` with the current span in place of the client's: www.w3.org/TR/trace-context."""
    fields: dict[str, str] = {}
    _propagator.inject(fields)
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return _CONTEXT_FIELDS.sub(b"", head)[:-2] + lines.encode() + b"\r\n"
