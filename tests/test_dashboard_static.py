"""What pages load beside themselves."""

import html
import re
from pathlib import Path

import aiohttp
from yarl import URL

from tests.parts.gateways import RunningGateway
from tests.parts.seeded import KEYS, seeded_gateway


async def fetched(http: aiohttp.ClientSession, url: str) -> str:
    """The text at an address that is there."""
    async with http.get(url) as answer:
        assert answer.status == 200
        return await answer.text()


async def test_the_style_sheet(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    """It is small, needs no key, loads nothing else, and its address changes with its content."""
    async with seeded_gateway(tmp_path, keys=list(KEYS)) as gateway:
        page = await fetched(http, f"{gateway.origin}/login")
        (sheet,) = re.findall(r'href="(/static/hearth.css\?v=.*?)"', page)
        style = await fetched(http, gateway.origin + html.unescape(sheet))
    assert len(style) < 15_000
    assert "url(" not in style


async def test_files_are_kept(gateway: RunningGateway, http: aiohttp.ClientSession) -> None:
    """A browser knows what each is, and need not ask for it again."""
    types = {"hearth.css": "text/css", "live.js": "text/javascript", "icon.svg": "image/svg+xml"}
    for name, kind in types.items():
        async with http.get(f"{gateway.origin}/static/{name}") as answer:
            assert (answer.status, answer.content_type) == (200, kind)
            assert "immutable" in answer.headers["Cache-Control"]


async def test_no_other_files(gateway: RunningGateway, http: aiohttp.ClientSession) -> None:
    """What is no file there is nothing, however it is called."""
    for name in ("", "none.css", "a" * 5000, "%00", "..%2Fpages.py"):
        async with http.get(URL(f"{gateway.origin}/static/{name}", encoded=True)) as answer:
            assert answer.status == 404
