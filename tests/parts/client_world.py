"""What clients of other people's making are let loose on: a gateway with keys, and one provider."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from gateway.mock.running import RunningProvider, running_provider
from gateway.mock.settings import MockSettings
from tests.parts.gateways import RunningGateway, Wire, running_gateway
from tests.parts.recorded import read_fresh

APP_KEY = "sk-app"
OPS_KEY = "sk-ops"
MODEL = "gpt-4o-mini"
OLD_MODEL = "text-davinci-003"
"""The model of the older guides; it lives on under its name only."""

_UPSTREAM_KEY = "sk-upstream"
_PRICES = {MODEL: {"input": 1.0, "output": 2.0}}


class ClientWorld(msgspec.Struct, frozen=True):
    """A gateway that knows `APP_KEY` and the management key `OPS_KEY`, and where it sends calls."""

    gateway: RunningGateway
    provider: RunningProvider

    async def record(self, http: aiohttp.ClientSession, generation_id: str) -> dict[str, Any]:
        """OpenRouter's record of a generation, as the app may read it."""
        url = f"{self.gateway.api}/generation?id={generation_id}"
        data: dict[str, Any] = (await read_fresh(http, url, APP_KEY))["data"]
        return data

    async def newest(self, http: aiohttp.ClientSession) -> dict[str, Any]:
        """The record of the latest call, for clients that show no headers."""
        url = f"{self.gateway.api}/generations?limit=1"
        data: dict[str, Any] = (await read_fresh(http, url, APP_KEY))["data"][0]
        return data


@asynccontextmanager
async def client_world(folder: Path, wire: Wire) -> AsyncIterator[ClientWorld]:
    """A world on one edge; its provider lets nobody in but the gateway."""
    async with running_provider(MockSettings(api_key=_UPSTREAM_KEY)) as provider:
        upstream = {
            "name": "a",
            "base_url": provider.url,
            "api_key": _UPSTREAM_KEY,
            "models": [MODEL, "claude-haiku-4-5", {"name": OLD_MODEL, "upstream": MODEL}],
            "prices": _PRICES,
        }
        keys = [
            {"name": "app", "key": APP_KEY},
            {"name": "ops", "key": OPS_KEY, "role": "management"},
        ]
        async with running_gateway(folder, [upstream], keys=keys, server={"wire": wire}) as gateway:
            yield ClientWorld(gateway, provider)
