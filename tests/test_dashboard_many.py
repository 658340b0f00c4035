"""The pages where there is more than anyone would read."""

import time
from pathlib import Path

import aiohttp

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
