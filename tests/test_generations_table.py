"""The list of generations as CSV, over HTTP: whoever asks, whatever the store."""

import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest

from gateway.calendar import whole_days
from gateway.ledger.journal import Journal
from tests.parts.asking import KEYS
from tests.parts.gateways import RunningGateway, running_gateway
from tests.parts.generations import generation
from tests.parts.raw_client import connected
from tests.parts.recorded import read_json
from tests.parts.redis_servers import shared_server
from tests.parts.stores import prefix_of
from tests.parts.visitor import csv_rows, data

NOWHERE = {"name": "a", "base_url": "http://127.0.0.1:1"}
CALLS = 1_203
"""More than a page of JSON may have."""

STORES: dict[str, Callable[[Path], str]] = {
    "sqlite": lambda folder: f"sqlite:{folder}/hearth.db",
    "redis": lambda folder: f"{shared_server().url}?prefix={prefix_of(folder)}",
}


@pytest.fixture(params=STORES)
async def listed(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RunningGateway]:
    """A gateway with that many calls of yesterday, every third of `user_0`."""
    journal, yesterday = Journal(tmp_path / "journal"), whole_days(time.time()) - 1
    for number in range(CALLS):
        journal.append(generation(number, day=yesterday, user=f"user_{number % 3}"))
    ledger = {"url": STORES[request.param](tmp_path), "journal": f"{tmp_path}/journal"}
    async with running_gateway(tmp_path, [NOWHERE], keys=KEYS, ledger=ledger) as gateway:
        await read_json(f"{gateway.api}/generations", "sk-ops")  # by when all are shipped
        yield gateway


async def table(url: str, key: str = "sk-ops", accept: str = "*/*") -> list[str]:
    """The ids in a CSV, which is a download that no cache keeps."""
    headers = {"Authorization": f"Bearer {key}", "Accept": accept}
    async with aiohttp.ClientSession(headers=headers) as client, client.get(url) as answer:
        assert answer.status == 200, await answer.text()
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert answer.headers["Content-Disposition"].startswith('attachment; filename="generations')
        assert answer.headers["Cache-Control"] == "no-store"
        return [row["id"] for row in csv_rows(await answer.text())]


async def test_all_that_match(listed: RunningGateway, http: aiohttp.ClientSession) -> None:
    """Every call, newest first, at each address; with filters those that match."""
    first = await data(http, f"{listed.api}/generations?limit=1000", "sk-ops")
    found = await table(f"{listed.api}/generations?format=csv")
    assert (len(found), len(set(found))) == (CALLS, CALLS)
    assert found[:1000] == [row["id"] for row in first]
    for address in (listed.origin, listed.url):
        assert await table(f"{address}/generations?format=csv") == found
    assert await table(f"{listed.api}/generations?format=csv&user=user_0") == found[2::3]
    assert await table(f"{listed.api}/generations?format=csv", "sk-other") == []
    assert await table(f"{listed.api}/generations?user=user_0", accept="text/csv") == found[2::3]


async def test_part_of_it(listed: RunningGateway, http: aiohttp.ClientSession) -> None:
    """With a limit so many, with a cursor what comes after; for a browser alike."""
    url, headers = f"{listed.api}/generations", {"Authorization": "Bearer sk-ops"}
    async with http.get(f"{url}?limit=1000&format=json", headers=headers) as answer:
        page = await answer.json()
    assert len(await table(f"{url}?format=csv&cursor={page['next']}")) == CALLS - 1000
    ids = [row["id"] for row in page["data"]]
    assert await table(f"{url}?format=csv&limit=700") == ids[:700]
    for_browsers = f"{listed.origin}/generations?format=csv&limit=7"
    assert await table(for_browsers, accept="text/html") == ids[:7]


async def test_head(listed: RunningGateway) -> None:
    """HEAD of it says how far behind it is, and has no piece: the next answer follows its head."""
    fields = "Host: localhost\r\nAuthorization: Bearer sk-ops\r\n\r\n"
    path = "/api/v1/generations?format=csv"
    async with connected(listed.origin) as client:
        client.send(f"HEAD {path} HTTP/1.1\r\n{fields}GET /healthz HTTP/1.1\r\n{fields}".encode())
        status, headers = await client.head()
        assert (status, dict(headers)[b"X-Hearth-Ledger-Lag"]) == (200, b"0.000")
        assert (await client.answer()).body == b'{"status":"ok"}'
