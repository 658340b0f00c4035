"""What a gateway has on record: read as its users read it, and once it is gone."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from gateway.api.ledger_view import LAG_HEADER
from gateway.ledger.queries import GenerationQuery
from gateway.ledger.sqlite import SqliteStore
from tests.parts.gateways import RunningGateway
from tests.parts.waiting import PATIENCE

_FRESH = "0.000"


async def read_json(url: str, key: str = "", status: int = 200) -> Any:
    """The JSON at `url`, asked for with `key` if it is given; the status is checked."""
    async with aiohttp.ClientSession() as session:
        return await read_fresh(session, url, key, status)


async def read_fresh(
    session: aiohttp.ClientSession, url: str, key: str = "", status: int = 200
) -> Any:
    """The same by a client that there is. What says of itself that it lags is asked for again: a
    slow disk takes longer than the gateway lets a reader wait."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with asyncio.timeout(PATIENCE):
        while True:
            async with session.get(url, headers=headers) as answer:
                assert answer.status == status, await answer.text()
                if answer.headers.get(LAG_HEADER, _FRESH) == _FRESH:
                    return msgspec.json.decode(await answer.read())


async def generations(gateway: RunningGateway, key: str = "") -> list[dict[str, Any]]:
    """The newest 500, newest first."""
    page = await read_json(f"{gateway.api}/generations?limit=500", key)
    rows: list[dict[str, Any]] = page["data"]
    return rows


async def only_generation(gateway: RunningGateway, key: str = "") -> dict[str, Any]:
    """The one there is."""
    (generation,) = await generations(gateway, key)
    return generation


async def next_generation(gateway: RunningGateway, key: str = "") -> dict[str, Any]:
    """The one that is about to be there, as the gateway cannot say when a client has left."""
    async with asyncio.timeout(PATIENCE):
        while not (found := await generations(gateway, key)):
            await asyncio.sleep(0.005)
    (generation,) = found
    return generation


async def outcomes(folder: Path) -> list[str]:
    """Those that the store in `folder` holds when the gateway has gone."""
    store = await SqliteStore.open(folder / "hearth.db")
    try:
        return [one.outcome for one in await store.generations(GenerationQuery())]
    finally:
        await store.close()
