"""The pages over HTTP: who sees what, and that their numbers are the API's."""

import html
import re
import sqlite3
import zlib
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.dashboard.addresses import user_path
from gateway.dashboard.formats import shown
from tests.parts.gateways import RunningGateway, running_gateway
from tests.parts.generations import generation
from tests.parts.page_tables import figures
from tests.parts.page_tables import table as page_table
from tests.parts.raw_client import connected
from tests.parts.seeded import WEIRD, seed, seeded_gateway, whole_month
from tests.parts.visitor import BROWSER, data, sign_in, table, text

YESTERDAY = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"
PAGES = (
    *("/activity", "/activity?include_today=true", "/activity?group_by=key"),
    *(
        "/activity?group_by=user&metric=tokens&per=month",
        "/activity?group_by=route&metric=requests",
    ),
    f"/activity?per=hour&since={YESTERDAY}&group_by=provider",
    *("/activity?group_by=provider&user=user_anna", "/users", "/users?sort=last_seen&direction=up"),
    *("/users?search=user_&percentile=p99.9&middle=true", "/users/user_anna?days=90"),
    *("/generations", "/generations?status=failed", "/generations?flagged=true"),
    *("/generations/gen-000100", "/generation?id=gen-000100", "/providers", "/providers?days=1"),
    *("/activity/", "/generations/", "/providers/"),
)


async def test_open_gateway(tmp_path: Path, browser: aiohttp.ClientSession) -> None:
    """Without keys every page is there without signing in, small, strict and uncached."""
    async with seeded_gateway(tmp_path) as gateway:
        for path in PAGES:
            async with browser.get(gateway.origin + path) as answer:
                page = await answer.text()
                assert answer.status == 200, page
                assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
                assert "unsafe" not in answer.headers["Content-Security-Policy"]
                assert answer.headers["Cache-Control"] == "no-store"
                assert len(page) < 150_000
                assert not re.search(
                    r"<style|<script(?! src)|style=|\son\w+=|(src|href|action)=.?(\w+:|//)", page
                )
        async with browser.get(f"{gateway.origin}/login?next=/users") as answer:
            assert answer.url.path == "/users"


async def test_home_is_the_activity_page(
    gateway: RunningGateway, browser: aiohttp.ClientSession
) -> None:
    """Whoever comes to the root is led on, and first of all to sign in."""
    async with browser.get(gateway.origin) as answer:
        assert (answer.url.path, answer.url.query["next"]) == ("/login", "/activity")


async def test_same_address_two_answers(
    gateway: RunningGateway, http: aiohttp.ClientSession
) -> None:
    """A browser gets the page, also where it saves a link and accepts anything; everyone else the
    JSON; caches are told."""
    headers = {"Authorization": "Bearer ops-key"}
    saving = {"Sec-Fetch-Mode": "navigate"}
    program = saving | {"Accept": "application/json"}
    for name in ("activity", "generations", "generation?id=gen-000100"):
        for sent, kind in (
            *(({}, "application/json"), (program, "application/json")),
            *((BROWSER, "text/html"), (saving, "text/html")),
        ):
            async with http.get(f"{gateway.origin}/{name}", headers=headers | sent) as answer:
                assert answer.content_type == kind
                assert answer.headers["Vary"] == "Accept, Cookie, Sec-Fetch-Mode"


async def test_client_keys_see_their_own(
    gateway: RunningGateway, browser: aiohttp.ClientSession
) -> None:
    """Neither lists, nor totals, nor single records of another key, however asked."""
    theirs = await data(browser, f"{gateway.api}/generations?limit=1000")
    own = [row for row in theirs if row["hearth"]["key"] == "bot"]
    other = next(row for row in theirs if row["hearth"]["key"] == "shop")
    await sign_in(browser, gateway, "bot-key")
    rows = await table(browser, f"{gateway.origin}/generations?format=csv")
    assert {row["key"] for row in rows} == {"bot"}
    assert [row["id"] for row in rows[: len(own)]] == [row["id"] for row in own]
    await text(browser, f"{gateway.origin}/generations/{other['id']}", 404)
    users = await table(browser, f"{gateway.origin}/users?format=csv&month={whole_month()}")
    assert {row["key"] for row in users} == {"bot"}
    page = await text(browser, f"{gateway.origin}/users?key=shop")
    assert "No user" in page
    assert "Nothing to show" in await text(browser, f"{gateway.origin}/activity?key=shop")
    for path in ("/activity?group_by=key", "/users/user_anna", "/providers", "/users"):
        assert ">shop<" not in await text(browser, gateway.origin + path)


async def test_activity_of_a_key_leads_to_its_users(
    gateway: RunningGateway, browser: aiohttp.ClientSession
) -> None:
    """Two keys' users of one name are two users: a line of one key's leads to that one alone."""
    await sign_in(browser, gateway, "ops-key")
    page = await text(browser, f"{gateway.origin}/activity?group_by=user&key=bot")
    assert 'href="/users/user_anna?key=bot"' in page


async def test_activity_says_what_the_api_says(
    gateway: RunningGateway, browser: aiohttp.ClientSession
) -> None:
    """Figures, lines and CSV of the page are sums of the API's rows, for any filter."""
    await sign_in(browser, gateway, "ops-key")
    for filters in ("", "user=user_anna&", "key=bot&", "model=gpt-4o&provider=oak&"):
        page = await text(browser, f"{gateway.origin}/activity?{filters}")
        rows = await table(browser, f"{gateway.origin}/activity?{filters}format=csv")
        found, (*lines, _) = figures(page), page_table(page, "By model")
        requests = sum(int(row["requests"]) for row in rows)
        assert found["Requests"].number == requests
        spent = sum(round(float(row["usage"]) * 1_000_000_000) for row in rows)
        assert found["Spend"].text == f"${spent / 1_000_000_000:,.4f}"
        assert sum(line["Requests"].number for line in lines) == requests
    api = await data(browser, f"{gateway.api}/activity?include_today=true")
    since = min(row["date"] for row in rows_of_month(api))
    page = await text(browser, f"{gateway.origin}/activity?since={since}")
    assert figures(page)["Requests"].number == sum(r["requests"] for r in rows_of_month(api))


def rows_of_month(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The newest 20 days."""
    days = sorted({row["date"] for row in rows})[-20:]
    return [row for row in rows if row["date"] in days]


async def test_users_say_what_the_log_says(
    gateway: RunningGateway, browser: aiohttp.ClientSession
) -> None:
    """The grid and its CSV have the counts of the month's calls, in the order asked for."""
    await sign_in(browser, gateway, "ops-key")
    month, grid = whole_month(), f"{gateway.origin}/users?sort=requests&month={whole_month()}"
    page, rows = await text(browser, grid), await table(browser, f"{grid}&format=csv")
    name = f"{datetime.fromisoformat(f'{month}-01'):%B %Y}"
    shown = [line["Requests"].number for line in page_table(page, f"Users of {name}")]
    assert shown == [int(row["requests"]) for row in rows][: len(shown)]
    assert shown == sorted(shown, reverse=True)
    calls = [
        call
        for call in await table(browser, f"{gateway.origin}/generations?format=csv")
        if call["created_at"].startswith(month)
    ]
    for row in rows:
        own = [c for c in calls if (c["key"], c["external_user"]) == (row["key"], row["user"])]
        assert int(row["requests"]) == len(own)
        assert float(row["cost"]) == pytest.approx(sum(float(call["usage"]) for call in own))


async def test_any_user_has_a_page(gateway: RunningGateway, browser: aiohttp.ClientSession) -> None:
    """Whatever an id contains, its page opens, shows it as text, and its CSV runs nothing."""
    await sign_in(browser, gateway, "ops-key")
    for user in WEIRD:
        page = await text(browser, gateway.origin + user_path(user))
        assert "<script>alert" not in page
        heading = re.search(r"<h1[^>]*><bdi>(.*?)</bdi>", page)
        assert heading is not None
        assert html.unescape(heading[1]) == shown(user)
        link = f"{gateway.origin}{user_path(user)}"
        rows = await table(browser, f"{link}{'&' if '?' in link else '?'}format=csv&days=90")
        assert rows
        assert not any(value.startswith(("=", "+", "@")) for row in rows for value in row.values())
        assert {row["user"].removeprefix("'") for row in rows} == {user}
    for path in ("/users", "/activity?group_by=user", "/generations?user=%3Cscript%3E"):
        assert "<script>alert" not in await text(browser, gateway.origin + path)


async def test_log_pages(gateway: RunningGateway, browser: aiohttp.ClientSession) -> None:
    """Older pages follow the cursor without a gap; the CSV has all that the filters leave."""
    await sign_in(browser, gateway, "ops-key")
    expected = [row["id"] for row in await data(browser, f"{gateway.api}/generations?limit=120")]
    url, found = f"{gateway.origin}/generations?limit=40", []
    for _ in range(3):
        page = await text(browser, url)
        found += re.findall(r'<tr data-id="(.*?)"', page)
        older = re.search(r'rel="next" href="(.*?)"', page)
        assert older is not None
        url = gateway.origin + html.unescape(older[1])
    assert found == expected
    failed = await table(browser, f"{gateway.origin}/generations?status=failed&format=csv")
    assert len(failed) > 20
    assert {row["outcome"] for row in failed} == {"failed"}


async def test_blocked_call_says_why(
    gateway: RunningGateway, browser: aiohttp.ClientSession
) -> None:
    """A refused request's row and page give the reason in words, once."""
    await sign_in(browser, gateway, "ops-key")
    page = await text(browser, f"{gateway.origin}/generations?flagged=true&limit=1")
    reason = "Config set to block requests without user field"
    assert reason in page
    (blocked,) = re.findall(r'data-id="(.*?)"', page)
    page = await text(browser, f"{gateway.origin}/generations/{blocked}")
    assert reason in page
    assert page.count('class="problem') == 1
    assert "not sent to any provider" in page


async def test_pdf(gateway: RunningGateway, browser: aiohttp.ClientSession) -> None:
    """The PDF has the page's totals and groups; an id without letters in its font is not lost."""
    await sign_in(browser, gateway, "ops-key")
    page = await text(browser, f"{gateway.origin}/activity?group_by=user")
    async with browser.get(f"{gateway.origin}/activity?group_by=user&format=pdf") as answer:
        assert answer.content_type == "application/pdf"
        assert answer.headers["Content-Disposition"].endswith('.pdf"')
        body = await answer.read()
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", body, re.DOTALL)
    written = b"".join(map(zlib.decompress, streams))
    assert body.startswith(b"%PDF")
    shown = figures(page)
    for expected in (shown["Requests"].text, shown["Spend"].text, "user_anna"):
        assert f"({expected})".encode() in written


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/users?sort=shoe", 400),
        *((f"{path}?format=shoe", 400) for path in ("/activity", "/users", "/generations")),
        *((f"{path}?format=shoe", 400) for path in ("/users/user_anna", "/providers")),
        ("/generations/gen-000100?format=pdf", 400),
        ("/users?month=2026-13", 400),
        ("/users?shoe=1", 400),
        ("/users/nobody", 404),
        ("/activity?group_by=shoe", 400),
        ("/activity?per=hour", 400),
        ("/activity?per=hour&since=2024-11-01&until=2024-11-02&group_by=user", 400),
        ("/activity?per=hour&since=2024-11-01&until=2024-11-02&user=user_anna", 400),
        ("/activity?since=2026-02-02&until=2026-01-01", 400),
        ("/activity?since=2024-01-01&until=2024-12-31&per=day", 400),
        ("/generations?cursor=%3Cscript%3E", 400),
        ("/generations/gen-nothing", 404),
        ("/generation", 400),
        ("/providers?days=2", 400),
        ("/usres", 404),
    ],
)
async def test_mistakes_are_explained(
    gateway: RunningGateway, browser: aiohttp.ClientSession, path: str, status: int
) -> None:
    """A wrong address gets a page that says what is wrong, in the frame that every page has."""
    await sign_in(browser, gateway, "ops-key")
    page = await text(browser, gateway.origin + path, status)
    assert "<h1>" in page
    assert "<script>" not in page
    assert 'href="/users"' in page
    assert 'action="/logout"' in page


async def test_nothing_yet(tmp_path: Path, browser: aiohttp.ClientSession) -> None:
    """A new gateway does not pretend that somebody had filtered."""
    async with running_gateway(tmp_path, [{"name": "a", "base_url": "http://127.0.0.1:9"}]) as new:
        assert "No call yet." in await text(browser, f"{new.origin}/generations")
        assert "No call matches." in await text(browser, f"{new.origin}/generations?user=u")
        assert "\u2013 of requests" not in await text(browser, f"{new.origin}/activity")


async def test_calls_that_cost_nothing(tmp_path: Path, browser: aiohttp.ClientSession) -> None:
    """Models without a price have their lines: there is nothing to draw, but there is to tell."""
    now = int(datetime.now(UTC).timestamp()) * 1_000_000
    await seed(tmp_path, [generation(n, created_at=now, cost=0) for n in range(3)])
    async with running_gateway(tmp_path, [{"name": "a", "base_url": "http://127.0.0.1:9"}]) as one:
        page = await text(browser, f"{one.origin}/activity")
    line, everything = page_table(page, "By model")
    assert (line["Model"].text, line["Requests"].number) == ("small", 3)
    assert everything["Requests"].text == figures(page)["Requests"].text
    assert "Nothing to show" not in page
    assert '<svg class="chart"' not in page


async def test_address_that_is_wrong(
    gateway: RunningGateway, http: aiohttp.ClientSession, browser: aiohttp.ClientSession
) -> None:
    """A browser gets a page with a way out, a program JSON; who has not signed in sees no more."""
    page = await text(browser, f"{gateway.origin}/usres", 404)
    assert 'href="/activity"' in page
    assert "<nav" not in page
    async with http.get(f"{gateway.origin}/usres") as answer:
        assert (answer.status, answer.content_type) == (404, "application/json")


@pytest.mark.parametrize(("key", "told"), [("ops-key", True), ("shop-key", False)])
async def test_boards_tell_keys_apart(
    gateway: RunningGateway, browser: aiohttp.ClientSession, key: str, told: bool
) -> None:
    """Two keys' users of one name are two users; whoever sees several keys sees whose it is."""
    await sign_in(browser, gateway, key)
    page = await text(browser, f"{gateway.origin}/users?month={whole_month()}")
    board = page.partition('data-now="boards"')[2].partition("</ol>")[0]
    users, keys = board.count("<li>"), len(re.findall(r'<span class="note">(shop|bot)<', board))
    assert (users > 0, keys) == (True, users if told else 0)


async def test_calls_of_nobody_are_a_click_away(
    gateway: RunningGateway, browser: aiohttp.ClientSession
) -> None:
    """Who has not said whom a call is for is found from the users' page, key by key."""
    await sign_in(browser, gateway, "ops-key")
    page = html.unescape(await text(browser, f"{gateway.origin}/users?month={whole_month()}"))
    links = set(re.findall(r'href="(/generations\?no_user=true&key=(\w+))">No User ID<', page))
    assert {key for _, key in links} == {"shop", "bot"}
    for link, key in links:
        log = await text(browser, gateway.origin + link)
        assert re.search(r'name="no_user" value="true" checked', log)
        path = f"/api/v1/generations?no_user=true&key={key}&limit=50"
        calls = await data(browser, gateway.origin + path)
        assert re.findall(r'<tr data-id="(.*?)"', log) == [one["id"] for one in calls]
        assert {one["external_user"] for one in calls} == {None}


async def test_a_move_is_on_the_page_of_its_call(
    gateway: RunningGateway, browser: aiohttp.ClientSession
) -> None:
    """From which provider the user came, and what the cold cache there cost."""
    await sign_in(browser, gateway, "ops-key")
    calls = await data(browser, f"{gateway.origin}/api/v1/generations?limit=1000")
    moved = next(one for one in calls if one["hearth"]["move_cost"])
    page = await text(browser, f"{gateway.origin}/generations/{moved['id']}")
    fact = page.partition("<dt>Moved from</dt><dd>")[2].partition("</dd>")[0]
    assert fact.startswith(moved["hearth"]["moved_from"])
    assert f"${moved['hearth']['move_cost']:.6f} more" in fact
    stayed = next(one for one in calls if one["hearth"]["moved_from"] is None)
    assert "Moved from" not in await text(browser, f"{gateway.origin}/generations/{stayed['id']}")


async def test_calls_of_one_keys_user(
    gateway: RunningGateway, browser: aiohttp.ClientSession
) -> None:
    """The page of one key's user says whose it is, and leads to that user's calls and days, not to
    a namesake's."""
    await sign_in(browser, gateway, "ops-key")
    page = html.unescape(await text(browser, f"{gateway.origin}/users/user_anna?key=bot"))
    assert 'href="/generations?user=user_anna&key=bot">All calls' in page
    assert 'href="/activity?user=user_anna&key=bot">Other days' in page
    assert 'Only calls with the key bot. <a href="/users/user_anna">All keys' in page
    assert "Only calls" not in await text(browser, f"{gateway.origin}/users/user_anna")


async def test_store_that_fails(
    gateway: RunningGateway, browser: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """When the store cannot answer, the page says so with 503."""
    await sign_in(browser, gateway, "ops-key")
    with closing(sqlite3.connect(tmp_path / "hearth.db")) as db:
        db.execute("DROP TABLE months")
    async with browser.get(f"{gateway.origin}/users?sort=cost") as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
        page = await answer.text()
    assert "store does not answer" in page
    assert "Calls go on" in page
    assert 'href="/users?sort=cost">Try again' in page


@pytest.mark.parametrize("path", ["/users?format=csv", "/users/user_anna?format=jsonl"])
async def test_head_of_a_download(gateway: RunningGateway, path: str) -> None:
    """HEAD of what comes piece by piece has no piece: the next answer follows its head."""
    fields = "Host: localhost\r\nAccept: text/html\r\nAuthorization: Bearer ops-key\r\n\r\n"
    async with connected(gateway.origin) as client:
        client.send(f"HEAD {path} HTTP/1.1\r\n{fields}GET /healthz HTTP/1.1\r\n{fields}".encode())
        status, headers = await client.head()
        assert (status, b"Content-Disposition" in dict(headers)) == (200, True)
        assert (await client.answer()).body == b'{"status":"ok"}'
