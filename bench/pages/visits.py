"""Looking at a page as a browser does, and how long it took."""

import re
import statistics
import time
from collections.abc import Mapping
from html import unescape

import aiohttp
import msgspec

TIMES = 9
"""Visits of a page that are measured; one more before them is not."""

_BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
_LINKED = re.compile(r'(?:href|src)="(/static/[^"]+)"')


class Look(msgspec.Struct, frozen=True):
    """A page: median seconds from the request to its last byte, and bytes with all it loads."""

    seconds: float
    bytes: int


Looks = dict[tuple[str, str], Mapping[str, Look]]
"""Store and role of the key -> page -> what it took."""


async def visit(session: aiohttp.ClientSession, path: str) -> Look:
    """Ask for a page again and again. ClientResponseError if it does not come."""
    body = await _load(session, path)
    linked = {unescape(address) for address in _LINKED.findall(body.decode())}
    loaded = [len(await _load(session, address)) for address in linked]
    seconds = []
    for _ in range(TIMES):
        started = time.perf_counter()
        body = await _load(session, path)
        seconds.append(time.perf_counter() - started)
    return Look(statistics.median(seconds), len(body) + sum(loaded))


async def newest(session: aiohttp.ClientSession) -> str:
    """The id of the newest call that may be seen."""
    async with session.get("/api/v1/generations?limit=1") as answer:
        answer.raise_for_status()
        found: str = (await answer.json())["data"][0]["id"]
        return found


async def _load(session: aiohttp.ClientSession, path: str) -> bytes:
    async with session.get(path, headers=_BROWSER, allow_redirects=False) as answer:
        answer.raise_for_status()
        return await answer.read()
