"""The page of one call: what was used for it, part by part."""

import re
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from gateway.generation import Extras, Usage
from tests.parts.gateways import running_gateway
from tests.parts.generations import generation
from tests.parts.seeded import seed
from tests.parts.visitor import text

NOBODY = [{"name": "a", "base_url": "http://127.0.0.1:9"}]


def used(page: str) -> list[list[str]]:
    """The rows of the table of what was used."""
    body = page.partition("<h2>Usage</h2>")[2].partition("</thead>")[2].partition("</table>")[0]
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    return [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in rows]


async def test_only_what_there_is(tmp_path: Path, browser: aiohttp.ClientSession) -> None:
    """Audio, images, searches and an unusual service tier have their lines, and else none."""
    now = int(datetime.now(UTC).timestamp()) * 1_000_000
    extras = Extras(500, 300, 250, 0, 240, 0, web_searches=3)
    heard = Usage(1000, 300, 20, 450, extras=extras, service_tier="flex")
    plain, other = generation(1, created_at=now), generation(2, created_at=now, usage=heard)
    await seed(tmp_path, [plain, other])
    async with running_gateway(tmp_path, NOBODY) as gateway:
        pages = [
            await text(browser, f"{gateway.origin}/generations/{one.id}") for one in (plain, other)
        ]
    assert used(pages[0]) == [
        ["Prompt", "10", ""],
        ["read from the cache", "4", "40.0%"],
        ["written to the cache", "0", "0.0%"],
        ["Completion", "5", ""],
        ["reasoning", "0", "0.0%"],
        ["Cost", "$0.000000007"],
    ]
    assert used(pages[1]) == [
        ["Prompt", "1,000", ""],
        ["read from the cache", "450", "45.0%"],
        ["written to the cache", "0", "0.0%"],
        ["audio", "500", "50.0%"],
        ["images", "300", "30.0%"],
        ["audio from the cache", "250", "25.0%"],
        ["Completion", "300", ""],
        ["reasoning", "20", "6.7%"],
        ["audio", "240", "80.0%"],
        ["Web searches", "3"],
        ["Service tier", "flex"],
        ["Cost", "$0.000000007"],
    ]
