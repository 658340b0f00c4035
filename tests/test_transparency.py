"""What passes through untouched, what is dropped on the way, and whose credentials go where."""

import contextlib
import logging
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.parts.calls import CHAT, COMPLETION, STREAM, Requests, at, whole
from tests.parts.gateways import RunningGateway, Wire, running_gateway
from tests.parts.raw_client import RawAnswer, RawClient, connected, post
from tests.parts.raw_provider import serving
from tests.parts.recorded import only_generation

CLIENT_KEY = "sk-client-5d1f0a"
PROVIDER_KEY = "sk-provider-7c2e9b"
BODIES = [
    CHAT,
    b'  {"model" :"gpt-4o-mini", "x_unknown":{"a":[1.50,1e3]}, "x_unknown":"\\u00e9"}\r\n ',
    b'{"model":"gpt-4o-mini","seed":12345678901234567890123,"messages":[]}',
]


class Passage:
    """A client, the gateway, and a provider that keeps what reaches it."""

    def __init__(self, client: RawClient, requests: Requests, gateway: RunningGateway) -> None:
        self.client = client
        self.requests = requests
        self.gateway = gateway

    async def send(self, request: bytes) -> RawAnswer:
        return await self.client.ask(request)

    @property
    def body(self) -> bytes:
        """The latest body that reached the provider."""
        return self.requests.seen[-1][1]

    @property
    def fields(self) -> list[bytes]:
        """The latest field lines that reached it."""
        return self.requests.seen[-1][0].removesuffix(b"\r\n\r\n").split(b"\r\n")[1:]

    @property
    def line(self) -> bytes:
        """The latest request line that reached it."""
        return self.requests.seen[-1][0].split(b"\r\n")[0]


@contextlib.asynccontextmanager
async def passage(
    folder: Path,
    wire: Wire,
    answer: bytes = whole(COMPLETION),
    settings: dict[str, Any] | None = None,
    **sections: Any,
) -> AsyncIterator[Passage]:
    """Everything between a client and a provider that gives `answer` to all requests."""
    requests = Requests(answer)
    async with serving(requests) as provider:
        providers = [at(provider, **(settings or {}))]
        async with (
            running_gateway(folder, providers, server={"wire": wire}, **sections) as gateway,
            connected(gateway.origin) as client,
        ):
            yield Passage(client, requests, gateway)


@pytest.mark.parametrize("body", BODIES)
async def test_body_passes_byte_for_byte(tmp_path: Path, wire: Wire, body: bytes) -> None:
    """White space, doubled and unknown fields, and numbers of any size arrive as they were sent."""
    async with passage(tmp_path, wire) as through:
        answer = await through.send(post(body))
        assert (answer.status, through.body) == (200, body)


async def test_alias_changes_the_model_alone(tmp_path: Path, wire: Wire) -> None:
    """A provider gets its own name of the model; every other value keeps its bytes and place."""
    body = b'{"temperature":0.10,"model":"fast","x":[1.0, 2],"user":"\\u00fc"}'
    settings = {"models": [{"name": "fast", "upstream": "gpt-4.1-nano"}]}
    async with passage(tmp_path, wire, settings=settings) as through:
        assert (await through.send(post(body))).status == 200
        sent = through.body
        record = await only_generation(through.gateway)
    assert sent == b'{"temperature":0.10,"model":"gpt-4.1-nano","x":[1.0, 2],"user":"\\u00fc"}'
    assert (record["model"], record["hearth"]["upstream_model"]) == ("fast", "gpt-4.1-nano")


@pytest.mark.parametrize("named", [b"", b'"model":"fast",'])
async def test_alias_in_an_old_address(tmp_path: Path, wire: Wire, named: bytes) -> None:
    """There the provider's own name of the model takes its place as well; the body names none."""
    settings = {"models": [{"name": "fast", "upstream": "davinci:2"}]}
    async with passage(tmp_path, wire, settings=settings) as through:
        asked = post(b'{%b"prompt":"Hi"}' % named, "/v1/engines/fast/completions?x=1")
        assert (await through.send(asked)).status == 200
        assert through.line == b"POST /v1/engines/davinci%3A2/completions?x=1 HTTP/1.1"
        assert through.body == b'{"prompt":"Hi"}'
        record = await only_generation(through.gateway)
    assert (record["model"], record["hearth"]["upstream_model"]) == ("fast", "davinci:2")


async def test_head_of_a_request(tmp_path: Path, wire: Wire) -> None:
    """Fields, their order and repetitions survive; hop-by-hop and named ones end here."""
    fields = [
        *("X-Repeated: 1", "x-other: \u00fc", "X-Repeated: 2", "Cookie: a=b"),
        *("Connection: keep-alive, X-Private", "X-Private: 1", "Keep-Alive: timeout=5"),
        *("TE: trailers", "Proxy-Authorization: Basic x", "Proxy-Connection: keep-alive"),
        *("X-Hearth-Route: forged", "Helicone-User-Id: user_1", "User-Agent: sdk/1"),
    ]
    async with passage(tmp_path, wire) as through:
        await through.send(post(CHAT, "/v1/chat/completions?api-version=1&a=%20", *fields))
        assert through.line == b"POST /v1/chat/completions?api-version=1&a=%20 HTTP/1.1"
        names = [line.split(b":")[0].lower() for line in through.fields]
        kept = [line for line in through.fields if line[:2].lower() in (b"x-", b"co", b"us")]
    assert kept == [
        *(b"Content-Type: application/json", b"X-Repeated: 1", "x-other: \u00fc".encode()),
        *(b"X-Repeated: 2", b"Cookie: a=b", b"User-Agent: sdk/1"),
        b"Content-Length: %d" % len(CHAT),
    ]
    gone = {b"connection", b"keep-alive", b"te", b"proxy-authorization", b"proxy-connection"}
    assert not gone & set(names)
    assert not {b"helicone-user-id", b"x-private"} & set(names)
    assert names.count(b"host") == 1


async def test_head_of_an_answer(tmp_path: Path, wire: Wire) -> None:
    """A provider's fields come in order, repeated ones too; hop-by-hop and named ones do not."""
    fields = [
        *(b"X-One: 1", b"Set-Cookie: a=1", b"X-Two: 2", b"Set-Cookie: b=2", b"X-One: 3"),
        *(b"Connection: keep-alive, x-private", b"X-Private: 1", b"Keep-Alive: timeout=5"),
        *("X-Text: \u00fc".encode(), b"Server: theirs", b"Date: Thu, 01 Jan 1970 00:00:00 GMT"),
        *(b"X-Generation-Id: forged", b"X-Hearth-Provider: forged", b"Proxy-Authenticate: Basic"),
    ]
    async with passage(tmp_path, wire, whole(COMPLETION, b"200 OK", *fields)) as through:
        answer = await through.send(post(CHAT))
    assert answer.values(b"set-cookie") == [b"a=1", b"b=2"]
    assert answer.values(b"x-text") == ["\u00fc".encode()]
    assert answer.values(b"server") == [b"theirs"]
    assert answer.values(b"date") == [b"Thu, 01 Jan 1970 00:00:00 GMT"]
    assert answer.values(b"x-hearth-provider") == [b"a"]
    assert answer.text("x-generation-id").startswith("gen-")
    order = [name for name, _ in answer.headers if name.lower() in (b"x-one", b"x-two")]
    assert order == [b"X-One", b"X-Two", b"X-One"]
    gone = {b"keep-alive", b"x-private", b"proxy-authenticate"}
    assert not gone & {name.lower() for name, _ in answer.headers}


async def test_nothing_is_added_to_an_answer(tmp_path: Path, wire: Wire) -> None:
    """Beside framing, Date and Hearth's own, a client sees no field the provider did not send."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    async with passage(tmp_path, wire, answer) as through:
        got = await through.send(post(CHAT, "/v1/files"))
    assert {name.lower() for name, _ in got.headers} == {
        *(b"content-length", b"date"),
        *(b"x-generation-id", b"x-hearth-provider", b"x-hearth-route"),
    }


@pytest.mark.parametrize("status", [200, 201, 204, 207, 304, 307, 400, 418, 451, 499, 599])
async def test_status_codes_survive(tmp_path: Path, wire: Wire, status: int) -> None:
    """Whatever a provider answers, known or not, arrives; the connection stays in step."""
    answer = b"HTTP/1.1 %d Odd\r\n" % status
    answer += b"\r\n" if status in (204, 304) else b"Content-Length: 2\r\n\r\n{}"
    async with passage(tmp_path, wire, answer) as through:
        for _ in range(2):
            got = await through.send(post(CHAT))
            assert (got.status, got.complete) == (status, True)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("POST", "/v1/fine_tuning/jobs?limit=2"),
        ("GET", "/v1/files/file-1/content"),
        ("DELETE", "/v1/responses/resp_1"),
        ("PUT", "/v1/Some/Where%2Felse"),
        ("PATCH", "/v1/x"),
    ],
)
async def test_unknown_paths_pass(tmp_path: Path, wire: Wire, method: str, target: str) -> None:
    """A path Hearth does not know goes out in its own spelling, with its method and body."""
    head = f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n"
    async with passage(tmp_path, wire) as through:
        answer = await through.send(head.encode() + b"\xff\x00!")
        assert (answer.status, through.body) == (200, b"\xff\x00!")
        assert through.line == f"{method} {target} HTTP/1.1".encode()


@pytest.mark.parametrize("path", ["chat/completions?limit=2", "responses/resp_1"])
async def test_reading_what_was_answered_before(tmp_path: Path, wire: Wire, path: str) -> None:
    """GET is no call of a model: no user id is asked for, and its usage was counted before."""
    enforced = {"enforce_user_ids": True}
    async with passage(tmp_path, wire, policies=enforced) as through:
        head = f"GET /v1/{path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        assert (await through.send(head)).status == 200
        assert through.line == f"GET /v1/{path} HTTP/1.1".encode()
        record = await only_generation(through.gateway)
    assert (record["hearth"]["status"], record["tokens_prompt"]) == (200, 0)


async def test_prefix_of_openrouter(tmp_path: Path, wire: Wire) -> None:
    """/api/v1 is /v1 by another name, and any spelling of a known path goes out as the table's."""
    async with passage(tmp_path, wire) as through:
        for path in ("/api/v1/chat/completions", "/V1/Chat/Completions", "//v1//chat/completions/"):
            assert (await through.send(post(CHAT, path))).status == 200
            assert through.line == b"POST /v1/chat/completions HTTP/1.1"


async def test_coded_answers_pass(tmp_path: Path, wire: Wire) -> None:
    """A compressed answer stays compressed on its way, and is counted all the same."""
    packed = zlib.compress(COMPLETION, wbits=31)
    answer = whole(packed, b"200 OK", b"Content-Encoding: gzip", b'ETag: "x"')
    async with passage(tmp_path, wire, answer) as through:
        got = await through.send(post(CHAT, "/v1/chat/completions", "Accept-Encoding: br, gzip"))
        assert (got.body, got.values(b"content-encoding")) == (packed, [b"gzip"])
        assert b"Accept-Encoding: gzip" in through.fields
        record = await only_generation(through.gateway)
    assert (record["tokens_prompt"], record["upstream_id"]) == (7, "chatcmpl-1")


async def test_stream_whose_usage_is_hidden_comes_uncoded(tmp_path: Path, wire: Wire) -> None:
    """Something can be left out of plain text only, so nothing else is asked for."""
    asking = STREAM[:-1] + b',"stream_options":{"include_usage":true}}'
    async with passage(tmp_path, wire) as through:
        for path, body, coding in (
            ("/v1/chat/completions", STREAM, b"identity"),
            ("/v1/chat/completions", asking, b"gzip"),
            ("/api/v1/chat/completions", asking, b"identity"),
        ):
            await through.send(post(body, path, "Accept-Encoding: gzip"))
            assert b"Accept-Encoding: " + coding in through.fields


async def test_providers_key_replaces_the_clients(
    tmp_path: Path, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    """The client's key stays here, in whatever field it came; the provider's goes nowhere else."""
    caplog.set_level(logging.DEBUG)
    keys = [{"name": "app", "key": CLIENT_KEY}]
    bearer = f"Bearer {CLIENT_KEY}"
    forms = (
        *(f"Authorization: {bearer}", f"Helicone-Auth: {bearer}", f"x-api-key: {CLIENT_KEY}"),
        *(f"api-key: {CLIENT_KEY}", f"X-UsagePanda-API-Key: {CLIENT_KEY}"),
    )
    settings = {"api_key": PROVIDER_KEY}
    async with passage(tmp_path, wire, settings=settings, keys=keys) as through:
        for presented in forms:
            answer = await through.send(post(CHAT, "/v1/chat/completions", presented))
            assert answer.status == 200
            assert f"Authorization: Bearer {PROVIDER_KEY}".encode() in through.fields
            assert CLIENT_KEY.encode() not in b"".join(through.requests.seen[-1])
            assert PROVIDER_KEY not in repr(answer)
    assert CLIENT_KEY not in caplog.text
    assert PROVIDER_KEY not in caplog.text


async def test_keys_stay_out_of_errors_and_records(
    tmp_path: Path, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the answer nor the log nor the record of a failed call shows a key."""
    caplog.set_level(logging.DEBUG)
    keys = [
        {"name": "app", "key": CLIENT_KEY},
        {"name": "ops", "key": "sk-ops", "role": "management"},
    ]
    settings = {"api_key": PROVIDER_KEY}
    async with passage(tmp_path, wire, b"garbage\r\n\r\n", settings, keys=keys) as through:
        bearer = f"Authorization: Bearer {CLIENT_KEY}"
        answer = await through.send(post(CHAT, "/v1/chat/completions", bearer))
        assert answer.status == 502
        record = await only_generation(through.gateway, "sk-ops")
    shown = repr(answer) + msgspec.json.encode(record).decode() + caplog.text
    assert CLIENT_KEY not in shown
    assert PROVIDER_KEY not in shown


async def test_clients_key_passes_where_the_provider_has_none(tmp_path: Path, wire: Wire) -> None:
    """With Hearth's key in a field of its own, Authorization is the provider's and passes."""
    keys = [{"name": "app", "key": CLIENT_KEY}]
    async with passage(tmp_path, wire, keys=keys) as through:
        fields = (f"Helicone-Auth: Bearer {CLIENT_KEY}", "Authorization: Bearer sk-theirs")
        assert (await through.send(post(CHAT, "/v1/chat/completions", *fields))).status == 200
        assert b"Authorization: Bearer sk-theirs" in through.fields
        assert CLIENT_KEY.encode() not in b"".join(through.requests.seen[-1])


async def test_head_only(tmp_path: Path, wire: Wire) -> None:
    """An answer to HEAD has the length its body would have had, and none."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
    async with passage(tmp_path, wire, answer) as through:
        fields = b"Host: localhost\r\nConnection: close\r\n\r\n"
        through.client.send(b"HEAD /v1/files/1 HTTP/1.1\r\n" + fields)
        status, headers = await through.client.head()
        assert (status, await through.client.rest()) == (200, b"")
    assert dict(headers)[b"Content-Length"] == b"5"
