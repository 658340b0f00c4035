"""The pages in a real browser: they work, at any width, by keyboard, and ask nobody else."""

import csv
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Page, expect

from gateway.dashboard.formats import shown
from gateway.dashboard.visit import user_path
from tests.browsing import CHROMIUM, open_window
from tests.gateways import RunningGateway
from tests.seeded import KEYS, WEIRD, seeded_gateway

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]

OTHERS = (
    *("/activity?group_by=key&metric=tokens&per=month", "/activity?model=unknown"),
    *("/users?search=nobody", user_path("x" * 512), user_path("<script>alert(1)</script>")),
    *("/generations/gen-002400", "/generations?flagged=true", "/generations?model=unknown"),
)
"""Where things are long, empty or rare."""

PAGES = ("/activity?group_by=user", "/users", "/users/user_anna", "/generations", "/providers")


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[RunningGateway]:
    """A gateway with keys and two months of calls."""
    async with seeded_gateway(tmp_path, keys=list(KEYS)) as running:
        yield running


@pytest.fixture
async def window(gateway: RunningGateway) -> AsyncIterator[Page]:
    """A tab where a management key is signed in."""
    async with open_window(gateway.origin) as page:
        await sign_in(page)
        yield page


async def sign_in(page: Page, key: str = "ops-key") -> None:
    await page.goto("/login")
    await page.get_by_label("Key").fill(key)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/activity")


async def test_walk(window: Page) -> None:
    """Every page opens by its link, and what it links to opens too."""
    for name in ("Users", "Generations", "Providers", "Activity"):
        await window.get_by_role("navigation", name="Pages").get_by_role("link", name=name).click()
        await expect(window.get_by_role("heading", level=1)).to_have_text(name)
        await expect(window.get_by_role("link", name=name, exact=True)).to_have_attribute(
            "aria-current", "page"
        )
    await window.goto("/users?search=user_anna")
    await window.locator("table").get_by_role("link", name="user_anna").click()
    await expect(window.get_by_role("heading", level=1)).to_have_text("user_anna")
    await window.get_by_role("region", name="Latest calls").get_by_role("link").first.click()
    await expect(window.get_by_role("heading", level=2).first).to_have_text("Call")
    await window.get_by_text("Raw record").click()
    await expect(window.locator("pre")).to_contain_text('"external_user": "user_anna"')


async def test_signing_in(gateway: RunningGateway) -> None:
    """A wrong key is told so, the right one leads to the page asked for, and out is out."""
    async with open_window(gateway.origin) as page:
        await page.goto("/users?sort=requests")
        await page.get_by_label("Key").fill("bot-key")
        await page.get_by_role("button", name="Sign in").click()
        await page.wait_for_url("**/users?sort=requests")
        await expect(page.get_by_text("bot", exact=True)).to_be_visible()
        assert await page.evaluate("document.cookie") == ""
        await page.get_by_role("button", name="Sign out").click()
        await page.wait_for_url("**/login")
        await page.goto("/users")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


async def test_filters_and_paging(window: Page) -> None:
    """A form's filters are in the address; older pages keep them."""
    await window.goto("/generations")
    await window.get_by_label("User", exact=True).fill("user_anna")
    await window.get_by_label("Provider").select_option("oak")
    await window.get_by_role("button", name="Filter").click()
    assert "user=user_anna" in window.url
    newest = await window.locator("tbody tr").first.get_attribute("data-id")
    await window.get_by_role("link", name="Older").click()
    assert "user=user_anna" in window.url
    assert "provider=oak" in window.url
    people = await window.locator("tbody td:nth-child(2)").all_inner_texts()
    assert set(people) == {"user_anna"}
    assert await window.locator("tbody tr").first.get_attribute("data-id") != newest
    await window.get_by_role("link", name="Newest").click()
    assert await window.locator("tbody tr").first.get_attribute("data-id") == newest


async def test_sorting(window: Page) -> None:
    """A click on a heading sorts by it, another one turns the order around."""
    await window.goto("/users")
    orders = []
    for direction in ("descending", "ascending"):
        await window.get_by_role("columnheader", name="Requests").get_by_role("link").click()
        heading = window.get_by_role("columnheader", name="Requests")
        await expect(heading).to_have_attribute("aria-sort", direction)
        cells = await window.locator("tbody td:nth-child(4)").all_inner_texts()
        orders.append([int(cell.replace(",", "")) for cell in cells])
    assert orders[0] == sorted(orders[0], reverse=True)
    assert orders[1] == sorted(orders[1])


async def test_downloads(window: Page, tmp_path: Path) -> None:
    """CSV and PDF of a page come as files, with the page's filters."""
    await window.goto("/activity?group_by=user&user=user_anna")
    for kind in ("CSV", "PDF"):
        async with window.expect_download() as started:
            await window.get_by_role("link", name=kind, exact=True).click()
        download = await started.value
        assert download.suggested_filename.endswith(f".{kind.lower()}")
        await download.save_as(tmp_path / kind)
    with (tmp_path / "CSV").open(newline="") as file:
        rows = list(csv.DictReader(file))
    shown = await window.locator("dt:text-is('Requests') + dd").inner_text()
    assert sum(int(row["requests"]) for row in rows) == int(shown.replace(",", ""))
    assert {row["user"] for row in rows} == {"user_anna"}
    assert (tmp_path / "PDF").read_bytes().startswith(b"%PDF")


async def test_live_rows(
    window: Page, gateway: RunningGateway, http: aiohttp.ClientSession
) -> None:
    """A call that ends while the log is open appears on top of it, without a reload."""
    await window.goto("/generations")
    await window.evaluate("window.untouched = true")
    headers = {"Authorization": "Bearer shop-key", "x-usagepanda-enforce-user-ids": "true"}
    body = {"model": "just now", "messages": []}
    async with http.post(f"{gateway.url}/chat/completions", json=body, headers=headers) as answer:
        assert answer.status == 422
        made = answer.headers["X-Generation-Id"]
    await expect(window.locator("tbody tr").first).to_have_attribute("data-id", made)
    await expect(window.locator("tbody tr").first).to_contain_text("just now")
    await expect(window.get_by_role("status")).to_have_text("1 new")
    assert await window.evaluate("window.untouched") is True


async def test_live_rows_after_an_interruption(window: Page) -> None:
    """A log that cannot be read again says so, and only until it can."""
    await window.goto("/generations")
    await window.route("**/generations?*", lambda route: route.abort("aborted"))
    await expect(window.get_by_role("status")).to_have_text("not connected")
    await window.unroute("**/generations?*")
    await expect(window.get_by_role("status")).to_have_text("")


async def test_counts_are_live(
    window: Page, gateway: RunningGateway, http: aiohttp.ClientSession
) -> None:
    """A call that ends while a page of counts is open is in them, without a reload."""
    await window.goto("/users")
    await window.evaluate("window.untouched = true")
    board = window.locator("section", has=window.get_by_role("heading", name="by flags"))
    before = await board.inner_text()
    headers = {"Authorization": "Bearer shop-key", "x-usagepanda-enforce-user-ids": "true"}
    for _ in range(3):
        body = {"model": "m", "messages": []}
        url = f"{gateway.url}/chat/completions"
        async with http.post(url, json=body, headers=headers) as answer:
            assert answer.status == 422
    await expect(board).not_to_have_text(before, timeout=15_000)
    assert await window.evaluate("window.untouched") is True


async def test_nothing_runs(window: Page) -> None:
    """Ids that are scripts, paths or right-to-left writing open as the users they are."""
    await window.goto("/users")
    for user in WEIRD:
        name = shown(user)
        await window.goto("/users?search=" + await window.evaluate("encodeURIComponent", user))
        link = window.locator("table").get_by_role("link", name=name, exact=True).first
        await link.click()
        await expect(window.get_by_role("heading", level=1)).to_have_text(name)


OVERFLOWING = """
() => [...document.querySelectorAll(".card, .stats > div, .filters, .empty, .problem")]
  .filter((box) => box.scrollWidth > box.clientWidth + 1)
  .map((box) => `${box.className} ${box.textContent.trim().slice(0, 60)}`)
"""
"""Boxes whose content is wider than they are."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_phone(gateway: RunningGateway, scheme: str) -> None:
    """At 360 points no page is wider than the screen; tables move within their frame."""
    size = {"width": 360, "height": 740}
    async with open_window(gateway.origin, viewport=size, color_scheme=scheme) as page:
        await sign_in(page)
        for path in (*PAGES, *OTHERS):
            await page.goto(path)
            assert await page.evaluate("document.documentElement.scrollWidth") == 360, path
            assert await page.evaluate(OVERFLOWING) == [], path


async def test_filters_fold_on_a_phone(gateway: RunningGateway, window: Page) -> None:
    """There they are a click away, unless one is set; where there is room they are always seen."""
    for path in ("/activity", "/generations"):
        await window.goto(path)
        await expect(window.get_by_label("Model", exact=True)).to_be_visible()
        await expect(window.get_by_text("Filters", exact=True)).to_be_hidden()
    async with open_window(gateway.origin, viewport={"width": 360, "height": 740}) as page:
        await sign_in(page)
        for path in ("/activity", "/generations"):
            await page.goto(path)
            await expect(page.get_by_label("Model", exact=True)).to_be_hidden()
            await page.get_by_text("Filters", exact=True).click()
            await expect(page.get_by_label("Model", exact=True)).to_be_visible()
            await page.goto(f"{path}?model=gpt-4o")
            await expect(page.get_by_label("Model", exact=True)).to_be_visible()


async def test_keyboard(window: Page) -> None:
    """Tab goes to the skip link first, and wherever it goes one sees where it is."""
    for path in PAGES:
        await window.goto(path)
        await window.keyboard.press("Tab")
        assert await window.evaluate("document.activeElement.className") == "skip"
        for _ in range(12):
            await window.keyboard.press("Tab")
            outline = await window.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline == "solid"


CONTRASTS = """
() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
  const rgb = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b]
    .map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!own || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const ink = element.closest("svg") ? style.fill : style.color;
    const [one, two] = [light(rgb(ink)), light(behind(element))].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (two + 0.05);
    if (ratio < 4.5) poor.push(`${element.tagName} ${element.textContent.trim()} ${ratio}`);
  }
  return poor;
}
"""
"""Texts below WCAG 2.2's contrast of 4.5 to 1, success criterion 1.4.3."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_contrast(gateway: RunningGateway, scheme: str) -> None:
    """Every text on every page can be read, by day and by night (WCAG AA)."""
    async with open_window(gateway.origin, color_scheme=scheme) as page:
        await page.goto("/login")
        assert await page.evaluate(CONTRASTS) == []
        await sign_in(page)
        for path in (*PAGES, *OTHERS):
            await page.goto(path)
            assert await page.evaluate(CONTRASTS) == [], path
