"""Spans of model calls, sent to a collector from a thread of their own.

A request's span runs from its head to its record; it continues the caller's trace, and each try
at a provider is a child of it.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from opentelemetry import context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span, SpanKind, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.trace.status import StatusCode

from gateway import __version__, config
from gateway.calls.endpoint import Target
from gateway.calls.request import Request
from gateway.generation import Generation
from gateway.tracing.attributes import is_failure, of_generation, operation, provider_name
from gateway.tracing.upstream import Exchanges
from gateway.wire.downstream import Downstream

Handle = Callable[[Request, Target, Downstream], Coroutine[Any, Any, None]]

_TIMEOUT = 2.0
"""Seconds that one export may take, and so the last one at shutdown."""

_CONTEXT_FIELDS = (b"traceparent", b"tracestate")

_propagator = TraceContextTextMapPropagator()


class Tracing:
    """Makes and sends the spans of one process."""

    def __init__(self, settings: config.Tracing, providers: Sequence[config.Provider]) -> None:
        resource = Resource.create({SERVICE_NAME: "hearth", SERVICE_VERSION: __version__})
        sampler = ParentBased(TraceIdRatioBased(settings.sample))
        exporter = OTLPSpanExporter(
            endpoint=f"{settings.endpoint.rstrip('/')}/v1/traces",
            headers=settings.headers,
            timeout=_TIMEOUT,
        )
        self._names = {each.name: provider_name(each) for each in providers}
        self._provider = TracerProvider(sampler, resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("hearth", __version__)

    async def close(self) -> None:
        """Send what is left."""
        await asyncio.to_thread(self._provider.shutdown)

    def exchanges(self, settings: config.Provider) -> Exchanges:
        """What traces the exchanges with a provider, for its Upstream."""
        return Exchanges(self._tracer, settings)

    def follow(self, handle: Handle) -> Handle:
        """`handle`, within a span for every request."""

        async def traced(request: Request, target: Target, client: Downstream) -> None:
            span = self._begin(request, target)
            context.attach(set_span_in_context(span))
            on_settled = partial(self._end, span, operation(target.endpoint))
            await handle(request.watched(on_settled), target, client)

        async def in_own_context(request: Request, target: Target, client: Downstream) -> None:
            await asyncio.create_task(traced(request, target, client))

        return in_own_context

    def _begin(self, request: Request, target: Target) -> Span:
        fields = ((name, request.header(name)) for name in _CONTEXT_FIELDS)
        carrier = {name.decode(): value for name, value in fields if value}
        name = operation(target.endpoint)
        return self._tracer.start_span(
            name,
            _propagator.extract(carrier, context.Context()),
            SpanKind.SERVER,
            attributes={
                "gen_ai.operation.name": name,
                "http.request.method": request.head.method,
                "url.path": f"/v1/{target.endpoint.path}",
            },
            start_time=request.received_at * 1000,
        )

    def _end(self, span: Span, name: str, generation: Generation) -> None:
        if generation.model:
            span.update_name(f"{name} {generation.model}")
        if generation.provider:
            span.set_attribute("gen_ai.provider.name", self._names[generation.provider])
        span.set_attributes(of_generation(generation))
        if is_failure(generation):
            span.set_status(StatusCode.ERROR, generation.error)
        span.end()
