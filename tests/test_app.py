"""Which path leads where, in every spelling and on both prefixes."""

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.asking import KEYS
from tests.calls import CHAT, COMPLETION, Requests, at, whole
from tests.conftest import Wire
from tests.gateways import RunningGateway, running_gateway
from tests.raw_client import connected, post
from tests.raw_provider import serving
from tests.recorded import read_json

NOWHERE = {"name": "a", "base_url": "http://127.0.0.1:1"}


async def fetched(gateway: RunningGateway, path: str, method: str = "GET") -> tuple[int, Any]:
    """Status of an answer to the management key, and the error's code or None."""
    headers = {"Authorization": "Bearer sk-ops"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
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
                    client.send(request)
                    assert (await client.answer()).status == 200
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
            client.send(post(CHAT, "/v2/chat/completions"))
            assert (await client.answer()).status == 404
        assert (await read_json(f"{gateway.api}/generations"))["data"] == []


@pytest.mark.parametrize("path", ["/v1/../v1/chat/completions", "/v1/%2e%2e/x", "/v1/a%0ab"])
async def test_doubtful_paths(tmp_path: Path, wire: Wire, path: str) -> None:
    """A path that providers would read each in its own way is a 400."""
    async with (
        running_gateway(tmp_path, [NOWHERE], server={"wire": wire}) as gateway,
        connected(gateway.origin) as client,
    ):
        client.send(post(CHAT, path))
        assert (await client.answer()).status == 400
