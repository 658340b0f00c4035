"""The pages where there is more than anyone would read."""

import threading
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from types import ModuleType

import aiohttp
import pytest

from gateway.api.days import read_days
from gateway.dashboard.activity import lines, page
from gateway.dashboard.providers import page as providers
from gateway.dashboard.users import parts, user
from gateway.ledger.counts import Counts, total
from tests.parts.gateways import running_gateway
from tests.parts.generations import generation
from tests.parts.page_tables import figures, table
from tests.parts.seeded import seed
from tests.parts.visitor import csv_rows, text

MODELS = 1000


async def test_models(tmp_path: Path, browser: aiohttp.ClientSession) -> None:
    """Beyond some of them the rest is one line: pages stay small, and what they show adds up."""
    now, cost = int(time.time()) * 1_000_000, 10**7
    calls = [
        generation(n, created_at=now, model=f"model-{n}", cost=n * cost) for n in range(MODELS)
    ]
    await seed(tmp_path, calls)
    async with running_gateway(tmp_path, [{"name": "a", "base_url": "http://127.0.0.1:9"}]) as one:
        activity = await text(browser, f"{one.origin}/activity")
        user = await text(browser, f"{one.origin}/users/user_1")
    assert len(activity) < 150_000
    assert len(user) < 150_000
    *lines, everything = table(activity, "By model")
    assert [line["Model"].text for line in lines[::200]] == ["model-999", "Other models"]
    assert sum(line["Spend"].number for line in lines) == cost * sum(range(MODELS))
    assert everything["Spend"].text == figures(activity)["Spend"].text
    rows = table(user, "Models")
    assert rows[-1]["Model"].text == "other models"
    assert sum(row["Requests"].number for row in rows) == MODELS
    assert "and 988 more" in user


async def test_users(tmp_path: Path, browser: aiohttp.ClientSession) -> None:
    """The last page that can be reached, and a CSV of no more, say that there are others."""
    now = int(time.time()) * 1_000_000
    calls = [generation(n, created_at=now, user=f"user_{n:05}") for n in range(10_001)]
    await seed(tmp_path, calls)
    async with running_gateway(tmp_path, [{"name": "a", "base_url": "http://127.0.0.1:9"}]) as one:
        last = await text(browser, f"{one.origin}/users?page=200")
        before = await text(browser, f"{one.origin}/users?page=199")
        async with browser.get(f"{one.origin}/users?format=csv") as answer:
            rows = csv_rows(await answer.text())
            name = answer.headers["Content-Disposition"]
        async with browser.get(f"{one.origin}/users?format=csv&search=user_0") as answer:
            whole = answer.headers["Content-Disposition"]
    assert ("the last one" in last, "After</a>" in last) == (True, False)
    assert ("the last one" in before, "After</a>" in before) == (False, True)
    assert len(rows) == 10_000
    assert ("-first-10000.csv" in name, "first" in whole) == (True, False)


async def test_names_longer_than_a_page(tmp_path: Path, browser: aiohttp.ClientSession) -> None:
    """A PDF has a row for whatever clients call a model, and no row is higher than a page."""
    now = int(time.time()) * 1_000_000
    names = ("\u5bb6" * 512, "\n".join("m" * 256), " ".join(["W" * 9] * 51))
    models = [generation(n, created_at=now, model=name) for n, name in enumerate(names)]
    await seed(tmp_path, models)
    async with (
        running_gateway(tmp_path, [{"name": "a", "base_url": "http://127.0.0.1:9"}]) as one,
        browser.get(f"{one.origin}/activity?format=pdf") as answer,
    ):
        assert (answer.status, answer.content_type) == (200, "application/pdf")


async def test_activity_of_users(
    tmp_path: Path, browser: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A CSV of more users than are read at once is refused; without users it has no limit."""
    monkeypatch.setattr(page, "read_days", partial(read_days, most=2))
    now = int(time.time()) * 1_000_000
    await seed(tmp_path, [generation(n, created_at=now, user=f"user_{n}") for n in range(3)])
    async with running_gateway(tmp_path, [{"name": "a", "base_url": "http://127.0.0.1:9"}]) as one:
        activity = f"{one.origin}/activity?format=csv&group_by"
        async with browser.get(f"{activity}=user") as answer:
            assert (answer.status, "more than 2 users" in await answer.text()) == (400, True)
        async with browser.get(f"{activity}=model") as answer:
            assert (answer.status, len(csv_rows(await answer.text()))) == (200, 1)


@pytest.mark.parametrize(
    ("module", "address"),
    [
        (lines, "activity"),
        (providers, "providers"),
        (user, "users/user_1"),
        (parts, "users/user_1"),
    ],
)
async def test_sums_do_not_hold_up_calls(
    tmp_path: Path,
    browser: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
    module: ModuleType,
    address: str,
) -> None:
    """There is a row for each day and whatever clients call a model: all of them can be a second of
    work, and the event loop does none of it."""
    loops, seen = threading.get_ident(), set[int]()

    def seen_total(several: Iterable[Counts]) -> Counts:
        seen.add(threading.get_ident())
        return total(several)

    monkeypatch.setattr(module, "total", seen_total)
    await seed(tmp_path, [generation(1, created_at=int(time.time()) * 1_000_000)])
    async with running_gateway(tmp_path, [{"name": "a", "base_url": "http://127.0.0.1:9"}]) as one:
        await text(browser, f"{one.origin}/{address}")
    assert seen
    assert loops not in seen
