"""What a visitor of the pages does, and what anyone may ask the API."""

import csv
import io
from typing import Any

import aiohttp

from tests.parts.gateways import RunningGateway

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


async def text(session: aiohttp.ClientSession, url: str, status: int = 200) -> str:
    async with session.get(url) as answer:
        assert answer.status == status, await answer.text()
        return await answer.text()


async def table(session: aiohttp.ClientSession, url: str) -> list[dict[str, str]]:
    """The rows of a CSV."""
    return csv_rows(await text(session, url))


def csv_rows(content: str) -> list[dict[str, str]]:
    """The rows of a CSV by the names of their columns."""
    return list(csv.DictReader(io.StringIO(content, newline="")))


async def data(session: aiohttp.ClientSession, url: str, key: str = "ops-key") -> Any:
    headers = {"Accept": "application/json", "Authorization": f"Bearer {key}"}
    async with session.get(url, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        return (await answer.json())["data"]


async def sign_in(session: aiohttp.ClientSession, gateway: RunningGateway, key: str) -> None:
    async with session.post(f"{gateway.origin}/login", data={"key": key}) as answer:
        assert (answer.status, answer.url.path) == (200, "/activity")
