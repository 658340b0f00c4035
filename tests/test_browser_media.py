"""Pages on paper, and where the browser chooses the colours, in a real browser."""

import pytest
from playwright.async_api import Page, ViewportSize, expect

from tests.parts.browsing import CHROMIUM

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]

PAGES = ("/activity?group_by=user", "/users", "/users/user_anna", "/generations", "/providers")
A4 = ViewportSize(width=718, height=1047)
"""What is left of a sheet between Chromium's margins, in CSS pixels."""

CUT_OFF = """
() => [...document.querySelectorAll(".scroll")]
  .filter((frame) => frame.scrollWidth > frame.clientWidth)
  .map((frame) => frame.getAttribute("aria-label"))
"""
"""Frames whose content is wider than they are."""


async def test_paper(window: Page) -> None:
    """Whole tables and charts are printed, and nothing that is there to be clicked."""
    await window.set_viewport_size(A4)
    await window.emulate_media(media="print")
    for path in PAGES:
        await window.goto(path)
        assert await window.evaluate("document.documentElement.scrollWidth") == A4["width"], path
        assert await window.evaluate(CUT_OFF) == [], path
        await expect(window.get_by_role("navigation", name="Pages")).to_be_hidden()
        await expect(window.get_by_role("link", name="CSV")).to_be_hidden()
        assert await window.locator("input:visible, select:visible").count() == 0, path


async def test_a_chart_keeps_its_key(window: Page) -> None:
    """A line has the colour of its bars where the browser's own replace the page's, and on paper,
    where Chromium leaves out what is behind a text."""
    await window.emulate_media(forced_colors="active")
    await window.goto("/activity?metric=requests")
    bar = window.locator(".chart .serie-0 rect").first
    swatch = window.locator("tbody .swatch").first
    fill = await bar.evaluate("bar => getComputedStyle(bar).fill")
    await expect(swatch).to_have_css("background-color", fill)
    await expect(swatch).to_have_css("print-color-adjust", "exact")
