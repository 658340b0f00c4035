"""The API's handlers, asked directly: over a real ledger, at a time that stands still."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from gateway.api.context import Context, Handler
from gateway.calls.endpoint import parse_target
from gateway.generation import Generation
from gateway.keys import Keyring
from gateway.ledger.ledger import Ledger
from gateway.ledger.store import Store
from gateway.metrics.peers import SingleProcess
from gateway.metrics.snapshot import Snapshot
from gateway.pricing.prices import Prices
from gateway.routing.router import Router
from tests.parts.gateways import build_config
from tests.parts.generations import DAY
from tests.parts.requests import request
from tests.parts.waiting import PATIENCE

NOON = DAY * 86400 + 43200
"""The time on every clock here: seconds since the epoch."""

KEYS = [
    {"name": "app", "key": "sk-app"},
    {"name": "other", "key": "sk-other"},
    {"name": "ops", "key": "sk-ops", "role": "management"},
]


@asynccontextmanager
async def recording(
    folder: Path, generations: Iterable[Generation] = (), **provider: Any
) -> AsyncIterator[Context]:
    """What handlers work with, its ledger holding `generations`."""
    providers = [{"name": "a", "base_url": "http://127.0.0.1:1", **provider}]
    config = build_config(folder, providers, keys=KEYS)
    ledger = await Ledger.open(config.ledger)
    for generation in generations:
        ledger.recorder.record(generation)
    try:
        await shipped(ledger)
        keyring, router, prices = Keyring(config), Router(config), Prices(config.providers)
        yield Context(
            config, keyring, ledger, lambda: NOON, router, prices, SingleProcess(Snapshot)
        )
    finally:
        await ledger.finish(5)


async def shipped(ledger: Ledger) -> Store:
    """Its store, with all that was recorded: a slow disk takes longer than readers have to wait."""
    async with asyncio.timeout(PATIENCE):
        while True:
            store = await ledger.fresh()
            if not (await ledger.lag()).waiting:
                return store


class Asker:
    """A client of one handler, by default with a management key."""

    def __init__(self, context: Context, handler: Handler, path: str) -> None:
        self._context = context
        self._handler = handler
        self._path = path

    async def answer(self, query: str = "", key: str = "sk-ops", accept: str = "") -> web.Response:
        """The handler's answer, or the GatewayError it raises."""
        return await self._ask("GET", query, key, accept)

    async def post(self, body: object, key: str = "sk-ops") -> web.Response:
        """The same of a question that comes as JSON."""
        return await self._ask("POST", "", key, "", msgspec.json.encode(body))

    async def _ask(
        self, method: str, query: str, key: str, accept: str, body: bytes = b""
    ) -> web.Response:
        raw = f"/api/v1/{self._path}?{query}"
        target = parse_target(raw)
        assert target is not None
        fields = [(b"Authorization", f"Bearer {key}".encode()), (b"Accept", accept.encode())]
        asked = request(*fields, method=method, target=raw, body=body)
        return await self._handler(self._context, asked, target)

    async def json(self, query: str = "", key: str = "sk-ops") -> Any:
        """The JSON of its answer."""
        return decoded(await self.answer(query, key))


def decoded(answer: web.Response) -> Any:
    """The JSON of an answer."""
    assert isinstance(answer.body, bytes)
    return msgspec.json.decode(answer.body)
