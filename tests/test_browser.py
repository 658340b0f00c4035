"""The pages in a real browser: they work, at any width, by keyboard, and ask nobody else."""

import csv
import time
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Page, expect

from gateway.dashboard.addresses import link, user_path
from gateway.dashboard.formats import shown
from gateway.generation import Attempt, Usage
from tests.parts.browsing import CHROMIUM, open_window, sign_in
from tests.parts.gateways import RunningGateway, running_gateway
from tests.parts.generations import generation
from tests.parts.seeded import WEIRD, newest_month, seed, whole_month

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


async def test_walk(window: Page) -> None:
    """Every page opens by its link, and what it links to opens too."""
    for name in ("Users", "Generations", "Providers", "Activity"):
        await window.get_by_role("navigation", name="Pages").get_by_role("link", name=name).click()
        await expect(window.get_by_role("heading", level=1)).to_have_text(name)
        await expect(window.get_by_role("link", name=name, exact=True)).to_have_attribute(
            "aria-current", "page"
        )
    await window.goto(f"/users?month={whole_month()}&search=user_anna")
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
    await window.wait_for_url("**user=user_anna**")
    first = window.locator("tbody tr").first
    newest = await first.get_attribute("data-id") or ""
    await window.get_by_role("link", name="Older").click()
    await window.wait_for_url("**cursor=**")
    assert "user=user_anna" in window.url
    assert "provider=oak" in window.url
    people = await window.locator("tbody td:nth-child(2)").all_inner_texts()
    assert set(people) == {"user_anna"}
    await expect(first).not_to_have_attribute("data-id", newest)
    await window.get_by_role("link", name="Newest").click()
    await expect(first).to_have_attribute("data-id", newest)


async def test_sorting(window: Page) -> None:
    """A click on a heading sorts by it, another one turns the order around."""
    await window.goto(f"/users?month={whole_month()}")
    orders = []
    for direction in ("descending", "ascending"):
        await window.get_by_role("columnheader", name="Requests").get_by_role("link").click()
        heading = window.get_by_role("columnheader", name="Requests")
        await expect(heading).to_have_attribute("aria-sort", direction)
        cells = await window.locator("tbody td:nth-child(4)").all_inner_texts()
        orders.append([int(cell.replace(",", "")) for cell in cells])
    assert orders[0] == sorted(orders[0], reverse=True)
    assert orders[1] == sorted(orders[1])


@pytest.mark.parametrize("held", [[], ["Alt"]])
async def test_downloads(window: Page, tmp_path: Path, held: list[Literal["Alt"]]) -> None:
    """CSV and PDF of a page come as files, with the page's filters; also where Alt saves a link
    without going there."""
    await window.goto("/activity?group_by=user&user=user_anna")
    for kind in ("CSV", "PDF"):
        async with window.expect_download() as started:
            link = window.get_by_role("link", name=kind, exact=True)
            await link.click(modifiers=held)
        download = await started.value
        assert download.suggested_filename.endswith(f".{kind.lower()}")
        await download.save_as(tmp_path / kind)
    with (tmp_path / "CSV").open(newline="") as file:
        rows = list(csv.DictReader(file))
    shown = await window.locator("dt:text-is('Requests') + dd").inner_text()
    assert sum(int(row["requests"]) for row in rows) == int(shown.replace(",", ""))
    assert {row["user"] for row in rows} == {"user_anna"}
    assert (tmp_path / "PDF").read_bytes().startswith(b"%PDF")


async def test_nothing_runs(window: Page) -> None:
    """Ids that are scripts, paths or right-to-left writing open as the users they are."""
    for user in WEIRD:
        name = shown(user)
        await window.goto(link("/users", month=newest_month(user), search=user))
        found = window.locator("table").get_by_role("link", name=name, exact=True)
        await found.first.click()
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


@pytest.mark.parametrize("width", [360, 768, 1440])
async def test_long_names(tmp_path: Path, width: int) -> None:
    """Names as long as may be break or end in dots; they make no page and no box wider."""
    name = "unbroken" * 15
    providers = [
        {"name": f"{n}{name}", "base_url": "http://127.0.0.1:9", "weight": n} for n in range(3)
    ]
    keys = [{"name": f"{n}{name}", "key": f"key-{n}"} for n in range(2)]
    keys.append({"name": f"2{name}", "key": "ops-key", "role": "management"})
    call = generation(
        created_at=int(time.time()) * 1_000_000,
        tenant=f"0{name}",
        provider=f"0{name}",
        model="model" * 60,
        upstream_model="other" * 60,
        attempts=(Attempt(f"1{name}", status=503), Attempt(f"0{name}", status=200)),
        moved_from=f"1{name}",
    )
    await seed(tmp_path, [call])
    paths = (
        *("/activity", "/activity?group_by=provider", "/activity?group_by=key", "/providers"),
        *("/users", "/users/user_1", "/generations", f"/generations/{call.id}"),
    )
    async with (
        running_gateway(tmp_path, providers, keys=keys) as gateway,
        open_window(gateway.origin, viewport={"width": width, "height": 740}) as page,
    ):
        await sign_in(page)
        for path in paths:
            await page.goto(path)
            assert await page.evaluate("document.documentElement.scrollWidth") == width, path
            assert await page.evaluate(OVERFLOWING) == [], path


async def test_the_log_fits_a_laptop(tmp_path: Path) -> None:
    """What a call cost is in sight, however long its user's and its model's names are."""
    now = int(time.time()) * 1_000_000
    named = generation(
        created_at=now, user="user" * 60, model="model" * 60, route="failover", latency_ms=9_999
    )
    await seed(tmp_path, [named])
    async with (
        running_gateway(tmp_path, [{"name": "a", "base_url": "http://127.0.0.1:9"}]) as gateway,
        open_window(gateway.origin, viewport={"width": 1280, "height": 740}) as page,
    ):
        await page.goto("/generations")
        frame = page.get_by_role("region", name="Generations, newest first")
        assert await frame.evaluate("frame => frame.scrollWidth - frame.clientWidth") == 0


@pytest.mark.parametrize("width", [360, 1024])
async def test_names_stay_in_sight(gateway: RunningGateway, width: int) -> None:
    """Whoever moves a table to its right end still sees whose each line is."""
    async with open_window(gateway.origin, viewport={"width": width, "height": 740}) as page:
        await sign_in(page)
        for path in (f"/users?month={whole_month()}", "/generations"):
            await page.goto(path)
            frame = page.locator(".scroll:has(> table)")
            await frame.evaluate("frame => { frame.scrollLeft = frame.scrollWidth; }")
            assert await frame.evaluate("frame => frame.scrollLeft") > 0
            name = frame.locator("tbody td").first
            assert await name.evaluate("cell => cell.getBoundingClientRect().left") >= 0


LINES = """
figures => figures.map(one => one.clientHeight / parseFloat(getComputedStyle(one).lineHeight))
"""
"""How many lines each takes."""


async def test_large_figures_on_a_phone(tmp_path: Path) -> None:
    """No number is broken in two, though there be a hundred thousand million tokens."""
    used = Usage(prompt_tokens=10**11, completion_tokens=10**9)
    call = generation(
        created_at=int(time.time()) * 1_000_000, usage=used, cost=10**15, latency_ms=10**7
    )
    await seed(tmp_path, [call])
    size = {"width": 360, "height": 740}
    async with (
        running_gateway(tmp_path, [{"name": "a", "base_url": "http://127.0.0.1:9"}]) as gateway,
        open_window(gateway.origin, viewport=size) as page,
    ):
        for path in ("/activity", "/users/user_1"):
            await page.goto(path)
            lines = await page.locator(".stats dt + dd").evaluate_all(LINES)
            assert lines == pytest.approx([1] * len(lines), abs=0.1), path


TEXT_HEIGHT = """
chart => parseFloat(getComputedStyle(chart.querySelector("text")).fontSize)
  * chart.getBoundingClientRect().width / chart.viewBox.baseVal.width
"""
"""Of a chart's text on the screen, in pixels."""


@pytest.mark.parametrize("width", [360, 768, 1101])
async def test_charts_can_be_read(gateway: RunningGateway, width: int) -> None:
    """At any width the text is ten pixels high or higher, and the scale is in sight."""
    async with open_window(gateway.origin, viewport={"width": width, "height": 740}) as page:
        await sign_in(page)
        for path in ("/activity", "/users", "/users/user_anna"):
            await page.goto(path)
            for chart in await page.locator(".chart").all():
                await chart.scroll_into_view_if_needed()
                assert await chart.evaluate(TEXT_HEIGHT) >= 10, path
                for number in await chart.locator(".axis.y text").all():
                    await expect(number).to_be_in_viewport(ratio=0.9)


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
    const hint = element.placeholder;
    if (!(own || hint) || !element.checkVisibility()) continue;
    const style = getComputedStyle(element, hint ? "::placeholder" : null);
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
