"""Pages that follow what happens, in a real browser."""

import aiohttp
import pytest
from playwright.async_api import Page, expect

from tests.parts.browsing import CHROMIUM, open_window, sign_in
from tests.parts.gateways import RunningGateway

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]


async def refused(http: aiohttp.ClientSession, gateway: RunningGateway) -> str:
    """The id of a call that is on record as refused."""
    headers = {"Authorization": "Bearer shop-key", "x-usagepanda-enforce-user-ids": "true"}
    body = {"model": "just now", "messages": []}
    async with http.post(f"{gateway.url}/chat/completions", json=body, headers=headers) as answer:
        assert answer.status == 422
        return answer.headers["X-Generation-Id"]


async def stand_still(page: Page) -> None:
    """Have no time pass on the page but what the test lets pass."""
    await page.clock.install(time="2026-01-01")
    await page.clock.pause_at("2026-01-02")


async def test_live_rows(
    window: Page, gateway: RunningGateway, http: aiohttp.ClientSession
) -> None:
    """A call that ends while the log is open appears on top of it, without a reload."""
    await window.goto("/generations")
    await window.evaluate("window.untouched = true")
    made = await refused(http, gateway)
    await expect(window.locator("tbody tr").first).to_have_attribute("data-id", made)
    await expect(window.locator("tbody tr").first).to_contain_text("just now")
    await expect(window.get_by_role("status")).to_have_text("1 new")
    assert await window.evaluate("window.untouched") is True


async def test_live_rows_that_came_and_went(
    window: Page, gateway: RunningGateway, http: aiohttp.ClientSession
) -> None:
    """Of more new calls between two looks than the page has rows nobody claims to know how many."""
    await stand_still(window)
    await window.goto("/generations?limit=2")
    await refused(http, gateway)
    await window.clock.fast_forward(A_LOOK)
    await expect(window.get_by_role("status")).to_have_text("1 new")
    for _ in range(3):
        await refused(http, gateway)
    await window.clock.fast_forward(A_LOOK)
    await expect(window.get_by_role("status")).to_have_text("3 or more new")


async def test_live_rows_are_in_order(
    window: Page, gateway: RunningGateway, http: aiohttp.ClientSession
) -> None:
    """A call that began before others and ended after them comes between them, one that was erased
    goes, and one that moves up in its place is not called new."""
    made = [await refused(http, gateway) for _ in range(5)][::-1]
    await stand_still(window)
    await window.goto("/generations?limit=4")
    rows = window.locator("tbody tr")
    await rows.nth(1).evaluate("row => row.remove()")
    await window.clock.fast_forward(A_LOOK)
    await expect(window.get_by_role("status")).to_have_text("1 new")
    assert await rows.evaluate_all(IDS) == made[:4]
    await rows.nth(3).evaluate("row => row.remove()")
    await rows.nth(2).evaluate("row => { row.dataset.id = 'erased'; }")
    await window.clock.fast_forward(A_LOOK)
    await expect(rows).to_have_count(4)
    assert await rows.evaluate_all(IDS) == made[:4]
    await expect(window.get_by_role("status")).to_have_text("1 new")


async def test_live_rows_after_an_interruption(window: Page) -> None:
    """A log that cannot be read again says so, and only until it can."""
    await window.goto("/generations")
    await window.route("**/generations", lambda route: route.abort("aborted"))
    await expect(window.get_by_role("status")).to_have_text("not connected")
    await window.unroute("**/generations")
    await expect(window.get_by_role("status")).to_have_text("")


async def test_the_first_call(
    window: Page, gateway: RunningGateway, http: aiohttp.ClientSession
) -> None:
    """A log that is empty says so until there is a call to show."""
    await window.goto("/generations?model=just+now")
    async with window.expect_response("**/generations?*"):
        await expect(window.get_by_text("No call matches.")).to_be_visible()
    await expect(window.get_by_text("No call matches.")).to_be_visible()
    made = await refused(http, gateway)
    await expect(window.locator("tbody tr")).to_have_attribute("data-id", made)


async def test_the_first_user(
    window: Page, gateway: RunningGateway, http: aiohttp.ClientSession
) -> None:
    """A list of users that is empty says so until there is one to show."""
    await window.clock.install()
    await window.goto("/users?search=newcomer")
    await expect(window.get_by_text("No user whose id begins with")).to_be_visible()
    headers = {"Authorization": "Bearer shop-key"}
    body = {"model": "gpt-4o", "messages": [], "user": "newcomer"}
    async with http.post(f"{gateway.url}/chat/completions", json=body, headers=headers) as answer:
        assert answer.status == 502
    await window.clock.fast_forward(A_LOOK)
    await expect(window.locator("tbody tr")).to_contain_text("newcomer")


@pytest.mark.parametrize("path", ["/generations", "/users"])
async def test_the_end_of_a_session(window: Page, path: str) -> None:
    """A page whose session is over stays as it is, and says why nothing comes any more."""
    await window.clock.install()
    await window.goto(path)
    shown = await window.locator("tbody tr").count()
    await window.context.clear_cookies()
    await window.clock.fast_forward(A_LOOK)
    await expect(window.get_by_role("status")).to_have_text("signed out")
    assert await window.locator("tbody tr").count() == shown


@pytest.mark.parametrize("path", ["/generations", "/users"])
async def test_how_far_behind_the_ledger_is(window: Page, path: str) -> None:
    """A page that said that the ledger is behind says so no longer when it is not."""
    await window.clock.install()
    await window.goto(path)
    said = window.get_by_text("The ledger is 9 s behind")
    await window.evaluate(SAY_BEHIND)
    await expect(said).to_be_visible()
    await window.clock.fast_forward(A_LOOK)
    await expect(said).to_be_hidden()


SAY_BEHIND = """
() => document.querySelector("[data-now=behind]").append("The ledger is 9 s behind")
"""
IDS = "rows => rows.map(row => row.dataset.id)"
LINES = "/activity?metric=requests"
A_LOOK = 5_000
"""Milliseconds from one look of a page at its counts to the next."""


async def test_counts_are_live(
    window: Page, gateway: RunningGateway, http: aiohttp.ClientSession
) -> None:
    """A call that ends while a page of counts is open is in them, without a reload."""
    await window.clock.install()
    await window.goto("/users")
    await window.evaluate("window.untouched = true")
    board = window.locator("section", has=window.get_by_role("heading", name="by flags"))
    before = await board.text_content() or ""
    await refused(http, gateway)
    await window.clock.fast_forward(A_LOOK)
    await expect(board).not_to_have_text(before)
    assert await window.evaluate("window.untouched") is True


async def test_a_table_stays_where_it_was_moved(
    gateway: RunningGateway, http: aiohttp.ClientSession
) -> None:
    """New counts come to a table whose right end is read on a phone, and it does not jump back."""
    async with open_window(gateway.origin, viewport={"width": 360, "height": 740}) as page:
        await sign_in(page)
        await page.clock.install()
        await page.goto(LINES)
        frame = page.get_by_role("region", name="By model")
        await frame.evaluate("frame => { frame.scrollLeft = 120; }")
        await refused(http, gateway)
        await page.clock.fast_forward(A_LOOK)
        await expect(frame).to_contain_text("just now")
        assert await frame.evaluate("frame => frame.scrollLeft") == 120


@pytest.mark.parametrize("touch", [False, True])
async def test_a_click_does_not_stop_the_counts(
    gateway: RunningGateway, http: aiohttp.ClientSession, touch: bool
) -> None:
    """What was clicked or touched goes on counting, once the mouse is elsewhere."""
    async with open_window(gateway.origin, has_touch=touch, is_mobile=touch) as page:
        await sign_in(page)
        await page.clock.install()
        await page.goto(LINES)
        frame = page.get_by_role("region", name="By model")
        heading = frame.get_by_role("columnheader", name="Requests")
        await (heading.tap() if touch else heading.click())
        if not touch:
            await page.mouse.move(0, 0)
        await refused(http, gateway)
        await page.clock.fast_forward(A_LOOK)
        await expect(frame).to_contain_text("just now")


@pytest.mark.parametrize("reads", ["mouse", "keyboard"])
async def test_what_is_read_stays(
    window: Page, gateway: RunningGateway, http: aiohttp.ClientSession, reads: str
) -> None:
    """What the mouse points at, or the keyboard has come to, does not change meanwhile."""
    await window.clock.install()
    await window.goto(LINES)
    frame = window.get_by_role("region", name="By model")
    if reads == "mouse":
        await frame.get_by_role("columnheader", name="Requests").hover()
    else:
        await frame.get_by_role("link").first.press("Shift")
    await refused(http, gateway)
    for _ in range(2):
        async with window.expect_response(f"**{LINES}"):
            await window.clock.fast_forward(A_LOOK)
    await expect(frame).not_to_contain_text("just now")
    await window.mouse.move(0, 0)
    await window.get_by_label("Live").focus()
    await window.clock.fast_forward(A_LOOK)
    await expect(frame).to_contain_text("just now")
