"""The ledger of several workers: the supervisor ships, any worker tells how it stands."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from bench.redis_server import Server
from tests.parts.calls import COMPLETION, Requests, at, whole
from tests.parts.metrics import metric
from tests.parts.raw_provider import serving
from tests.parts.recorded import read_json
from tests.parts.served import Served, ask, served
from tests.parts.waiting import eventually

TIMES = 8
"""New connections, which reach both workers but for bad luck."""


@asynccontextmanager
async def two_workers(folder: Path, server: Server) -> AsyncIterator[Served]:
    """A gateway whose ledger is in that Redis."""
    ledger = {"url": server.url, "journal": f"{folder}/journal"}
    sections = {"server": {"workers": 2}, "ledger": ledger, "metrics": {"public": True}}
    async with (
        serving(Requests(whole(COMPLETION))) as provider,
        served(folder, [at(provider)], **sections) as gateway,
    ):
        yield gateway


async def calls(gateway: Served, number: int) -> list[str]:
    """The ids of calls that were answered, each on a connection of its own."""
    made = []
    for _ in range(number):
        async with aiohttp.ClientSession() as http:
            status, generation_id = await ask(http, gateway)
        assert status == 200
        made.append(generation_id)
    return made


async def is_up(gateway: Served) -> bool:
    """Whether every worker says that the store is there and has everything."""
    return all(
        [
            await metric(gateway.url, "hearth_store_up") == 1
            and await metric(gateway.url, "hearth_ledger_waiting_bytes") == 0
            for _ in range(TIMES)
        ]
    )


async def has_failed(gateway: Served) -> bool:
    return await metric(gateway.url, "hearth_store_failures_total") > 0


async def test_the_store_goes_and_comes_back(tmp_path: Path, server: Server) -> None:
    """Without it either worker tells every record and refuses every list, and the metrics say so,
    the supervisor's failed attempts included; soon after its return all is as it was."""
    async with two_workers(tmp_path, server) as gateway:
        made = await calls(gateway, 3)
        await eventually(lambda: is_up(gateway))
        server.kill()
        made += await calls(gateway, TIMES)
        for one in made[3:]:
            found = await read_json(f"{gateway.url}/api/v1/generation?id={one}")
            assert found["data"]["id"] == one
            await read_json(f"{gateway.url}/api/v1/generations", status=503)
            assert await metric(gateway.url, "hearth_store_up") == 0
        assert await metric(gateway.url, "hearth_ledger_waiting_bytes") > 0
        await eventually(lambda: has_failed(gateway))
        server.start()
        await eventually(lambda: is_up(gateway))
        for _ in range(TIMES):
            kept = await read_json(f"{gateway.url}/api/v1/generations")
            assert {each["id"] for each in kept["data"]} == set(made)
            assert kept["meta"]["lag"] == 0


async def test_every_list_says_how_fresh_it_is(tmp_path: Path, server: Server) -> None:
    """Whichever worker answers right after a call: a list that says it is fresh has counted it."""
    async with two_workers(tmp_path, server) as gateway:
        for number in range(1, TIMES + 1):
            await calls(gateway, 1)
            query = "activity?include_today=true"
            for path in ("generations", query, f"{query}&group_by=user"):
                rows = (await read_json(f"{gateway.url}/api/v1/{path}"))["data"]
                assert sum(row.get("requests", 1) for row in rows) == number
