"""The pages' bench: every address it asks for is a page, and the table says what missed."""

from pathlib import Path

import aiohttp
import pytest

from bench.pages import report
from bench.pages.addresses import addresses
from bench.pages.gateway import KEYS, serving
from bench.pages.ledgers import Size, fill_if_empty, redis_ledger
from bench.pages.visits import Look, Looks, newest, visit
from bench.sizes.filling import KEPT
from gateway.ledger.opening import open_store
from gateway.ledger.queries import GenerationQuery

SIZE = Size(users=60, generations=600)
FAST, SLOW, HEAVY = Look(0.010, 20_000), Look(0.200, 20_000), Look(0.010, 200_000)


@pytest.mark.heavy
async def test_every_address_is_a_page(tmp_path: Path) -> None:
    """Each can be looked at with either key, has a name of its own, and weighs what it loads."""
    url = f"sqlite:{tmp_path}/hearth.db"
    await fill_if_empty(url, SIZE)
    with serving(tmp_path / "gateway", url) as origin:
        for key in KEYS.values():
            headers = {"Authorization": f"Bearer {key}", "Accept": "text/html"}
            async with aiohttp.ClientSession(origin, headers=headers) as session:
                pages = addresses(await newest(session), SIZE.quiet_user)
                assert len(set(pages.values())) == len(pages)
                for path in pages.values():
                    async with session.get(path, allow_redirects=False) as answer:
                        assert answer.status == 200, path
                async with session.get("/providers") as answer:
                    alone = len(await answer.read())
                assert (await visit(session, "/providers")).bytes > alone + 5000


async def test_a_ledger_is_filled_once(tmp_path: Path) -> None:
    """What an earlier run filled is left as it is, also in Redis."""
    with redis_ledger(tmp_path) as url:
        await fill_if_empty(url, Size(20, 100))
        await fill_if_empty(url, Size(20, 200))
        store = await open_store(url, KEPT)
        found = await store.generations(GenerationQuery(limit=500))
        await store.close()
    assert len(found) == 100


def test_misses() -> None:
    """A page is named for each store and key with which it is too slow or too heavy."""
    looks: Looks = {
        ("SQLite", "client"): {"a": FAST, "b": SLOW},
        ("Redis", "client"): {"a": HEAVY, "b": FAST},
    }
    assert report.misses(looks) == [
        "b (SQLite, client key): 200 ms, 20 KiB",
        "a (Redis, client key): 10 ms, 195 KiB",
    ]


def test_table(tmp_path: Path) -> None:
    """A row a page, below a summary."""
    looks: Looks = {("SQLite", "client"): {"a": FAST}, ("Redis", "client"): {"a": HEAVY}}
    assert report.rows(looks) == [("a", "10.0", "10.0", "195")]
    page = tmp_path / "page.md"
    page.write_text("<!-- pages: begin -->\n<!-- pages: end -->\n")
    report.write(looks, page)
    text = page.read_text()
    assert "| a | 10.0 | 10.0 | 195 |\n" in text
    assert "Redis, client key, 1 pages: median 10.0 ms; slowest 10.0 ms (a)" in text
