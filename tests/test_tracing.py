"""Spans as a real collector receives them, by OTLP over HTTP."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from gateway.calls.endpoint import parse_target
from gateway.config import Provider
from gateway.tracing.attributes import operation, provider_name
from tests.parts.calls import (
    CHAT,
    COMPLETION,
    HELLO,
    STREAM,
    STREAM_HEAD,
    Requests,
    at,
    chunk,
    ends_at,
    never_end,
    whole,
)
from tests.parts.configs import PROVIDER, Folder
from tests.parts.gateways import Wire, running_gateway
from tests.parts.raw_client import ask_once, connected, post
from tests.parts.raw_provider import Script, answers, closes_after, serving

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
SAMPLED = f"traceparent: 00-{TRACE}-{PARENT}-01"
UNSAMPLED = f"traceparent: 00-{TRACE}-{PARENT}-00"


class Collector:
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.keys: list[str | None] = []
        self.services: set[str] = set()

    async def receive(self, request: web.Request) -> web.Response:
        sent = ExportTraceServiceRequest.FromString(await request.read())
        for resource in sent.resource_spans:
            said = values(resource.resource.attributes)
            self.services.add(said["service.name"])
            self.spans += [span for scope in resource.scope_spans for span in scope.spans]
        self.keys.append(request.headers.get("X-Key"))
        body = ExportTraceServiceResponse().SerializeToString()
        return web.Response(body=body, content_type="application/x-protobuf")

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        """Its port, for as long as it takes anything."""
        app = web.Application()
        app.router.add_post("/otel/v1/traces", self.receive)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield runner.addresses[0][1]
        finally:
            await runner.cleanup()

    def request(self) -> Span:
        """The one span of a request."""
        [span] = [span for span in self.spans if span.kind == Span.SPAN_KIND_SERVER]
        return span

    def attempts(self) -> list[Span]:
        """The spans of tries at providers, in order."""
        spans = [span for span in self.spans if span.kind == Span.SPAN_KIND_CLIENT]
        return sorted(spans, key=lambda span: span.start_time_unix_nano)


def values(attributes: Any) -> dict[str, Any]:
    return {each.key: value(each.value) for each in attributes}


def value(field: AnyValue) -> Any:
    kind = field.WhichOneof("value")
    if kind == "array_value":
        return [value(item) for item in field.array_value.values]
    return getattr(field, str(kind))


class Traced(msgspec.Struct, frozen=True):
    """A gateway's address and its providers' ports. The collector has everything once the gateway
    is closed."""

    origin: str
    ports: list[int]
    collector: Collector


@asynccontextmanager
async def traced(
    folder: Path, *scripts: Script, wire: Wire = "fast", sample: float = 1
) -> AsyncIterator[Traced]:
    """A gateway that sends its spans to a collector, and providers `a`, `b` that run `scripts`."""
    collector = Collector()
    async with AsyncExitStack() as stack:
        providers = [await stack.enter_async_context(serving(each)) for each in scripts]
        port = await stack.enter_async_context(collector.listening())
        tracing = {
            "endpoint": f"http://127.0.0.1:{port}/otel/",
            "sample": sample,
            "headers": {"X-Key": "k"},
        }
        configured = [at(each, name) for each, name in zip(providers, "ab", strict=False)]
        gateway = await stack.enter_async_context(
            running_gateway(folder, configured, server={"wire": wire}, tracing=tracing)
        )
        yield Traced(gateway.origin, [each.port for each in providers], collector)


async def call(origin: str, *fields: str, body: bytes = CHAT) -> int:
    return (await ask_once(origin, post(body, "/v1/chat/completions", *fields))).status


async def test_a_request_and_its_attempt(tmp_path: Path, wire: Wire) -> None:
    """Both continue the caller's trace; the provider is told of the attempt."""
    provider_requests = Requests(whole(COMPLETION))
    async with traced(tmp_path, provider_requests, wire=wire) as setting:
        assert await call(setting.origin, SAMPLED, "tracestate: x=1") == 200
    collector = setting.collector
    request, [attempt] = collector.request(), collector.attempts()
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE, PARENT)
    assert (attempt.trace_id, attempt.parent_span_id) == (request.trace_id, request.span_id)
    [(head, _)] = provider_requests.seen
    assert head.lower().count(b"traceparent:") == 1
    assert f"traceparent: 00-{TRACE}-{attempt.span_id.hex()}-01".encode() in head
    assert b"tracestate: x=1" in head
    assert request.start_time_unix_nano <= attempt.start_time_unix_nano
    assert attempt.end_time_unix_nano <= request.end_time_unix_nano
    assert set(collector.keys) == {"k"}
    assert collector.services == {"hearth"}


async def test_attributes(tmp_path: Path) -> None:
    """The conventions' names for what they know, `hearth.` before the rest."""
    async with traced(tmp_path, Requests(whole(COMPLETION))) as setting:
        await call(setting.origin)
    collector = setting.collector
    request, [attempt] = collector.request(), collector.attempts()
    said = values(request.attributes)
    assert request.name == "chat gpt-4o-mini"
    assert said.pop("hearth.generation.id").startswith("gen-")
    assert said.pop("hearth.cost_usd") > 0
    assert said == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "a",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.response.model": "gpt-4o-mini",
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 7,
        "gen_ai.usage.output_tokens": 3,
        "gen_ai.usage.cache_read.input_tokens": 0,
        "gen_ai.usage.cache_creation.input_tokens": 0,
        "gen_ai.usage.reasoning.output_tokens": 0,
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "url.path": "/v1/chat/completions",
        "enduser.id": "user_1",
        "hearth.key": "default",
        "hearth.outcome": "ok",
        "hearth.provider": "a",
        "hearth.route": "home",
    }
    assert attempt.name == "POST a"
    assert values(attempt.attributes) == {
        "gen_ai.provider.name": "a",
        "hearth.provider": "a",
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "server.address": "127.0.0.1",
        "server.port": setting.ports[0],
    }


async def test_other_methods(tmp_path: Path) -> None:
    """What passes through is named by its own method: a look at a file is no POST."""
    async with traced(tmp_path, Requests(whole(b"{}"))) as setting:
        await ask_once(setting.origin, b"GET /v1/files HTTP/1.1\r\nHost: localhost\r\n\r\n")
    [attempt] = setting.collector.attempts()
    assert (attempt.name, values(attempt.attributes)["http.request.method"]) == ("GET a", "GET")


async def test_every_attempt_has_a_span(tmp_path: Path) -> None:
    """A provider that fails shows as a failed attempt, and the request as a good one."""
    failing = Requests(whole(b"{}", b"503 Service Unavailable"))
    async with traced(tmp_path, failing, Requests(whole(COMPLETION))) as setting:
        users = iter(range(99))
        while not failing.seen:
            body = CHAT.replace(b"user_1", b"user_%d" % next(users))
            assert await call(setting.origin, body=body) == 200
    collector = setting.collector
    failed, good = collector.attempts()[-2:]
    assert failed.status.code == Status.STATUS_CODE_ERROR
    assert values(failed.attributes)["error.type"] == "503"
    assert good.status.code == Status.STATUS_CODE_UNSET
    requests = [span for span in collector.spans if span.kind == Span.SPAN_KIND_SERVER]
    assert {span.status.code for span in requests} == {Status.STATUS_CODE_UNSET}
    assert failed.parent_span_id == good.parent_span_id


async def test_no_answer(tmp_path: Path) -> None:
    """A connection that ends is an error of its kind, and so is the 502 that follows."""
    async with traced(tmp_path, closes_after(b"")) as setting:
        assert await call(setting.origin) == 502
    collector = setting.collector
    assert values(collector.attempts()[0].attributes)["error.type"] == "connection_lost"
    request = collector.request()
    assert request.status.code == Status.STATUS_CODE_ERROR
    assert values(request.attributes)["error.type"] == "502"


async def test_stream_that_breaks_off(tmp_path: Path) -> None:
    """The request's span lasts until its record, and says that it was cut."""
    async with traced(tmp_path, closes_after(STREAM_HEAD + chunk(HELLO))) as setting:
        assert await call(setting.origin, body=STREAM) == 200
    request = setting.collector.request()
    assert request.status.code == Status.STATUS_CODE_ERROR
    assert values(request.attributes)["error.type"] == "cut"


async def test_an_error_under_a_successful_status(tmp_path: Path) -> None:
    """A provider that fails once the answer has begun has failed all the same."""
    async with traced(tmp_path, Requests(whole(b'{"error":{"message":"Oh"}}'))) as setting:
        assert await call(setting.origin) == 200
    request = setting.collector.request()
    assert (request.status.code, request.status.message) == (Status.STATUS_CODE_ERROR, "Oh")
    assert values(request.attributes)["error.type"] == "failed"


async def test_a_client_that_leaves(tmp_path: Path, wire: Wire) -> None:
    """Its request's span ends with the call, and says why."""
    async with (
        traced(tmp_path, never_end, wire=wire) as setting,
        connected(setting.origin) as client,
    ):
        client.send(post(STREAM))
        await client.head()
        client.close()
    request, [attempt] = setting.collector.request(), setting.collector.attempts()
    assert values(request.attributes)["hearth.outcome"] == "cancelled"
    assert attempt.parent_span_id == request.span_id


async def test_requests_at_the_same_time(tmp_path: Path, wire: Wire) -> None:
    """The attempts of each are its own, also where one begins while another waits."""
    moment = asyncio.Event()
    async with (
        traced(tmp_path, ends_at(moment), wire=wire) as setting,
        connected(setting.origin) as one,
        connected(setting.origin) as another,
    ):
        for client in (one, another):
            client.send(post(STREAM))
            await client.head()
        moment.set()
        for client in (one, another):
            await client.some()
    collector = setting.collector
    requests = {span.span_id for span in collector.spans if span.kind == Span.SPAN_KIND_SERVER}
    assert len(requests) == 2
    assert {span.parent_span_id for span in collector.attempts()} == requests


async def test_refusals_are_no_errors_of_the_server(tmp_path: Path) -> None:
    """A client's fault has its status as the error's type, and the span no error status."""
    async with traced(tmp_path, answers()) as setting:
        assert await call(setting.origin, body=b"no json") == 400
    request = setting.collector.request()
    assert request.name == "chat"
    assert request.status.code == Status.STATUS_CODE_UNSET
    assert values(request.attributes)["error.type"] == "400"


async def test_sampling(tmp_path: Path) -> None:
    """A share of the traces begun here is sent; a caller's decision is followed and passed on."""
    provider_requests = Requests(whole(COMPLETION))
    async with traced(tmp_path, provider_requests, sample=0) as setting:
        await call(setting.origin)
        await call(setting.origin, UNSAMPLED)
        await call(setting.origin, SAMPLED)
    collector = setting.collector
    assert {span.trace_id.hex() for span in collector.spans} == {TRACE}
    assert len(collector.spans) == 2
    heads = [head for head, _ in provider_requests.seen]
    flags = [int(head.lower().partition(b"traceparent: ")[2][53:55], 16) for head in heads]
    assert [each & 1 for each in flags] == [0, 0, 1]


async def test_collector_that_is_away(tmp_path: Path) -> None:
    """Requests do not notice."""
    tracing = {"endpoint": "http://127.0.0.1:1"}
    async with (
        serving(Requests(whole(COMPLETION))) as provider,
        running_gateway(tmp_path, [at(provider)], tracing=tracing) as gateway,
    ):
        assert await call(gateway.origin) == 200


async def test_off_costs_nothing() -> None:
    """Without `tracing` the extra is not needed, and what makes spans is not loaded."""
    program = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "import gateway.server; sys.exit('gateway.tracing.tracing' in sys.modules)"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    assert await process.wait() == 0


@pytest.mark.parametrize(
    ("base_url", "name"),
    [
        ("https://api.openai.com/v1", "openai"),
        ("https://mine.openai.azure.com/openai/v1", "azure.ai.openai"),
        ("https://api.anthropic.com", "anthropic"),
        ("https://api.openai.com.example/v1", "p"),
        ("http://10.0.0.1:8000/v1", "p"),
    ],
)
def test_provider_names(base_url: str, name: str) -> None:
    """The conventions' own names for the hosts they know, the configured one elsewhere."""
    assert provider_name(Provider(name="p", base_url=base_url)) == name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("responses/compact", "chat"),
        ("engines/my-own-model/completions", "text_completion"),
        ("engines/my-own-model/embeddings", "embeddings"),
        ("images/edits", "images/edits"),
        ("files/file-17", "other"),
    ],
)
def test_operations(path: str, name: str) -> None:
    """The names of spans are few: nothing that a client may choose is in them but the model."""
    target = parse_target(f"/v1/{path}")
    assert target is not None
    assert operation(target.endpoint) == name


def test_extra_has_to_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A configuration that asks for spans says what to install, if that is missing."""
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk", None)
    text = f"{PROVIDER}tracing: {{endpoint: 'http://localhost:4318'}}\n"
    [problem] = Folder(tmp_path).problems(text)
    assert problem.startswith("4 tracing: Expected its extra")
    assert 'pip install "hearth-gateway[otel]"' in problem
