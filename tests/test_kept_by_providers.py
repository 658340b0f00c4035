"""Files and batches lie with one provider's account: clients find them where they put them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from openai import AsyncOpenAI, NotFoundError

from tests.parts.gateways import RunningGateway, Wire, running_gateway

KEYS = [{"name": name, "key": name} for name in ("shop", "web", "ios", "beta")]


class Account:
    """A provider that keeps the files and batches of those who come to it, and no others."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Any]] = {}

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/v1/files", self._add_file)
        app.router.add_post("/v1/batches", self._add_batch)
        app.router.add_get("/v1/{kind}/{id}", self._show)
        return app

    async def _add_file(self, request: web.Request) -> web.Response:
        await request.post()
        return self._keep("file", purpose="batch", bytes=2, filename="a.jsonl", status="processed")

    async def _add_batch(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        if wanted["input_file_id"] not in self.kept:
            return web.json_response({"error": {"message": "No such file"}}, status=404)
        fields = {**wanted, "status": "validating"}
        return self._keep("batch", **fields)

    async def _show(self, request: web.Request) -> web.Response:
        found = self.kept.get(request.match_info["id"])
        return web.json_response(found or {"error": {}}, status=200 if found else 404)

    def _keep(self, kind: str, **fields: Any) -> web.Response:
        kept: dict[str, Any] = {
            "id": f"{kind}-{id(self)}-{len(self.kept)}",
            "object": kind,
            "created_at": 1,
        }
        self.kept[kept["id"]] = {**kept, **fields}
        return web.json_response({**kept, **fields})


@asynccontextmanager
async def gateway_of(
    folder: Path, wire: Wire, accounts: list[Account]
) -> AsyncIterator[RunningGateway]:
    async with AsyncExitStack() as stack:
        providers = []
        for number, account in enumerate(accounts):
            server = await stack.enter_async_context(TestServer(account.app()))
            providers.append({"name": f"p{number}", "base_url": str(server.make_url("/v1"))})
        gateway = running_gateway(folder, providers, keys=KEYS, server={"wire": wire})
        yield await stack.enter_async_context(gateway)


async def test_a_batch_finds_its_file(tmp_path: Path, wire: Wire) -> None:
    """All that one key puts to addresses that Hearth does not know goes to one provider, so that
    file, batch and its state are found; and not all keys have the same one."""
    accounts = [Account(), Account(), Account()]
    async with gateway_of(tmp_path, wire, accounts) as gateway:
        for key in KEYS:
            async with AsyncOpenAI(base_url=gateway.url, api_key=key["key"]) as client:
                file = await client.files.create(file=("a.jsonl", b"{}"), purpose="batch")
                batch = await client.batches.create(
                    input_file_id=file.id,
                    endpoint="/v1/chat/completions",
                    completion_window="24h",
                )
                found = await asyncio.gather(*[client.batches.retrieve(batch.id) for _ in range(5)])
                assert {one.id for one in found} == {batch.id}
    assert sum(bool(account.kept) for account in accounts) > 1


async def test_a_users_files_are_at_the_users_home(tmp_path: Path, wire: Wire) -> None:
    """With an id in the header they lie where the user's calls go, and are found with it only."""
    accounts = [Account(), Account(), Account()]
    async with (
        gateway_of(tmp_path, wire, accounts) as gateway,
        AsyncOpenAI(base_url=gateway.url, api_key="shop") as client,
    ):
        missed = 0
        for user in map(str, range(8)):
            theirs = client.with_options(default_headers={"Helicone-User-Id": user}, max_retries=0)
            file = await theirs.files.create(file=("a.jsonl", b"{}"), purpose="batch")
            assert (await theirs.files.retrieve(file.id)).id == file.id
            try:
                await client.files.retrieve(file.id)
            except NotFoundError:
                missed += 1
    assert missed > 0
    assert sum(bool(account.kept) for account in accounts) > 1


@pytest.mark.parametrize("path", ["responses/input_tokens", "messages/count_tokens"])
async def test_tokens_are_counted_where_the_model_is(tmp_path: Path, wire: Wire, path: str) -> None:
    """Counting asks a provider that serves the model, needs no user, and costs nothing."""

    async def count(request: web.Request) -> web.Response:
        return web.json_response({"input_tokens": 3, "model": (await request.json())["model"]})

    app = web.Application()
    app.router.add_post(f"/v1/{path}", count)
    async with TestServer(app) as server:
        providers = [
            {"name": "other", "base_url": "http://127.0.0.1:9/v1", "models": ["big"]},
            {"name": "owner", "base_url": str(server.make_url("/v1")), "models": ["small"]},
        ]
        policies = {"enforce_user_ids": True}
        async with (
            running_gateway(tmp_path, providers, policies=policies, server={"wire": wire}) as ours,
            AsyncOpenAI(base_url=ours.url, api_key="-") as client,
        ):
            answer = await client.post(f"/{path}", body={"model": "small"}, cast_to=object)
            assert answer == {"input_tokens": 3, "model": "small"}
