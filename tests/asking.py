"""The API's handlers, asked directly: over a real ledger, at a time that stands still."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from gateway.api.context import Context, Handler
from gateway.endpoint import parse_target
from gateway.generation import Generation
from gateway.keys import Keyring
from gateway.ledger.ledger import Ledger
from gateway.request import Request
from gateway.routing.pool import Router
from tests.gateways import build_config
from tests.generations import DAY

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
        ledger.record(generation)
    try:
        yield Context(config, Keyring(config), ledger, lambda: NOON, Router(config))
    finally:
        await ledger.stop(5)


class Asker:
    """A client of one handler, by default with a management key."""

    def __init__(self, context: Context, handler: Handler, path: str) -> None:
        self._context = context
        self._handler = handler
        self._path = path

    async def answer(self, query: str = "", key: str = "sk-ops", accept: str = "") -> web.Response:
        """The handler's answer, or the GatewayError it raises."""
        raw = f"/api/v1/{self._path}?{query}"
        target = parse_target(raw)
        assert target is not None
        fields = [(b"Authorization", f"Bearer {key}".encode()), (b"Accept", accept.encode())]
        request = Request(
            method="GET",
            target=raw,
            headers=fields,
            body=b"",
            peer="127.0.0.1",
            received_at=0,
            started=0.0,
        )
        return await self._handler(self._context, request, target)

    async def json(self, query: str = "", key: str = "sk-ops") -> Any:
        """The JSON of its answer."""
        answer = await self.answer(query, key)
        assert isinstance(answer.body, bytes)
        return msgspec.json.decode(answer.body)
