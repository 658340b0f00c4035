"""Which path leads where, in every spelling and on both prefixes."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.app import create_app
from gateway.ledger.packing import pack
from tests.parts.asking import KEYS
from tests.parts.calls import CHAT, COMPLETION, Requests, at, whole
from tests.parts.gateways import RunningGateway, Wire, build_config, running_gateway
from tests.parts.generations import generation
from tests.parts.raw_client import connected, post
from tests.parts.raw_provider import serving
from tests.parts.recorded import read_json
from tests.parts.seeded import seeded_gateway

PAGE = "text/html"
NOWHERE = {"name": "a", "base_url": "http://127.0.0.1:1"}
OPS = {"Authorization": "Bearer sk-ops"}


async def fetched(gateway: RunningGateway, path: str, method: str = "GET") -> tuple[int, Any]:
    """Status of an answer to the management key, and the error's code or None."""
    async with (
        aiohttp.ClientSession(headers=OPS) as session,
        session.request(method, f"{gateway.origin}{path}") as answer,
    ):
        body = await answer.json()
        return answer.status, body.get("error", {}).get("code")


@pytest.mark.parametrize("prefix", ["/v1", "/api/v1", "//API//V1/", ""])
async def test_api_paths(tmp_path: Path, wire: Wire, prefix: str) -> None:
    """The API answers below both prefixes and at the root alike."""
    async with running_gateway(tmp_path, [NOWHERE], keys=KEYS, server={"wire": wire}) as gateway:
        assert await fetched(gateway, f"{prefix}/generations") == (200, None)
        assert await fetched(gateway, f"{prefix}/activity?format=json") == (200, None)
        assert await fetched(gateway, f"{prefix}/generation?id=gen-1") == (404, 404)
        assert await fetched(gateway, f"{prefix}/generation") == (400, 400)
        assert await fetched(gateway, f"{prefix}/generations", "POST") == (405, 405)


async def test_activity_and_generations_by_key(tmp_path: Path, wire: Wire) -> None:
    """Over HTTP, too, each key sees what it may, and errors are in OpenRouter's envelope."""
    async with serving(Requests(whole(COMPLETION))) as provider:
        server = {"wire": wire}
        async with running_gateway(tmp_path, [at(provider)], keys=KEYS, server=server) as gateway:
            async with connected(gateway.origin) as client:
                for key in ("sk-app", "sk-other"):
                    request = post(CHAT, "/v1/completions", f"Authorization: Bearer {key}")
                    assert (await client.ask(request)).status == 200
            mine = await read_json(f"{gateway.api}/generations", "sk-app")
            assert [one["hearth"]["key"] for one in mine["data"]] == ["app"]
            everyones = await read_json(f"{gateway.api}/generations", "sk-ops")
            assert len(everyones["data"]) == 2
            refused = await read_json(f"{gateway.api}/activity", "sk-app", status=403)
            assert refused["error"]["code"] == 403
            await read_json(f"{gateway.api}/generations", "sk-nobody", status=401)
            rows = await read_json(f"{gateway.api}/activity?include_today=true", "sk-ops")
            assert sum(row["requests"] for row in rows["data"]) == 2


async def test_nothing_there(tmp_path: Path, wire: Wire) -> None:
    """A path outside of everything is a 404 that says where the API is, and no call."""
    async with running_gateway(tmp_path, [NOWHERE], server={"wire": wire}) as gateway:
        for path in ("/v2/chat/completions", "/nothing", "/v1"):
            missing = await read_json(f"{gateway.origin}{path}", status=404)
            assert "below /v1/" in missing["error"]["message"]
        async with connected(gateway.origin) as client:
            assert (await client.ask(post(CHAT, "/v2/chat/completions"))).status == 404
        assert (await read_json(f"{gateway.api}/generations"))["data"] == []


async def test_a_client_that_leaves_is_no_defect(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever goes while an answer is on its way leaves no error in the log."""

    async def leave(request: web.Request, response: web.StreamResponse) -> None:
        if request.transport is not None:
            request.transport.abort()

    async with serving(Requests(whole(COMPLETION))) as provider:
        app = create_app(build_config(tmp_path, [at(provider)]))
        app.on_response_prepare.append(leave)
        async with TestServer(app) as server, aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ServerDisconnectedError):
                await session.post(server.make_url("/v1/chat/completions"), data=CHAT)
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize("path", ["/v1/../v1/chat/completions", "/v1/%2e%2e/x", "/v1/a%0ab"])
async def test_doubtful_paths(tmp_path: Path, wire: Wire, path: str) -> None:
    """A path that providers would read each in its own way is a 400."""
    async with (
        running_gateway(tmp_path, [NOWHERE], server={"wire": wire}) as gateway,
        connected(gateway.origin) as client,
    ):
        assert (await client.ask(post(CHAT, path))).status == 400


@pytest.mark.parametrize("path", ["/v1/user/query", "/api/v1/USER/query/"])
async def test_questions_as_json(tmp_path: Path, wire: Wire, path: str) -> None:
    """What is asked with a body is answered below both prefixes, in its own envelope; and only so.

    Any other method is told which one it takes.
    """
    async with (
        running_gateway(tmp_path, [NOWHERE], keys=KEYS, server={"wire": wire}) as gateway,
        aiohttp.ClientSession(gateway.origin) as client,
    ):
        async with client.post(path, json={}, headers=OPS) as answer:
            assert (answer.status, await answer.json()) == (200, {"data": [], "error": None})
        async with client.post(path, json={}) as answer:
            refused = {"data": None, "error": "Missing Authentication header"}
            assert (answer.status, await answer.json()) == (401, refused)
        async with client.get(path, headers=OPS) as answer:
            assert (answer.status, answer.headers["Allow"]) == (405, "POST")


async def test_description(tmp_path: Path, wire: Wire) -> None:
    """The API's description is there for anyone."""
    async with (
        running_gateway(tmp_path, [NOWHERE], keys=KEYS, server={"wire": wire}) as gateway,
        aiohttp.ClientSession(gateway.origin) as client,
        client.get("/openapi.json") as answer,
    ):
        assert (await answer.json())["openapi"] == "3.1.0"


@pytest.mark.parametrize(
    ("path", "code"), [("/v1/models/x", "model_not_found"), ("/api/v1/models/x", 404)]
)
async def test_models_in_the_callers_envelope(tmp_path: Path, path: str, code: object) -> None:
    """Models are OpenAI's below `/v1/` and OpenRouter's below `/api/v1/`, errors included."""
    named = [{**NOWHERE, "models": ["small"]}]
    async with (
        running_gateway(tmp_path, named) as gateway,
        aiohttp.ClientSession(gateway.origin) as client,
        client.get(path) as answer,
    ):
        assert (answer.status, (await answer.json())["error"]["code"]) == (404, code)


@pytest.mark.parametrize(
    ("path", "accept", "said"),
    [
        ("/api/v1/generations", "*/*", '{"error":{"code":500,"message":"Hearth failed'),
        ("/v1/generations", "*/*", '{"error":{"message":"Hearth failed'),
        ("/generations", PAGE, "<h1>Internal Server Error</h1>"),
        ("/generations/gen-000100", PAGE, 'href="/users"'),
    ],
)
async def test_what_nobody_expected(
    tmp_path: Path, wire: Wire, caplog: pytest.LogCaptureFixture, path: str, accept: str, said: str
) -> None:
    """It is logged whole, once, and said without a detail in a form that the client reads."""
    async with (
        seeded_gateway(tmp_path, server={"wire": wire}) as gateway,
        aiohttp.ClientSession(headers={"Accept": accept}) as client,
    ):
        with closing(sqlite3.connect(tmp_path / "hearth.db")) as store, store:
            no_date = pack(generation(100, created_at=2**62))
            store.execute("UPDATE generations SET record = ?", (no_date,))
        async with client.get(f"{gateway.origin}{path}") as answer:
            assert answer.status == 500
            assert said in await answer.text()
    assert [record.exc_info is not None for record in caplog.records] == [True]
