"""A headless Chromium that complains: whatever a page does wrong fails the test that opened it."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import ConsoleMessage, Page, Request, async_playwright, expect

CHROMIUM = shutil.which("chromium")
_PATIENCE = 60_000
"""Milliseconds that a browser on a busy machine may take for anything."""


@asynccontextmanager
async def open_window(origin: str, **settings: Any) -> AsyncIterator[Page]:
    """A tab with an empty profile; `settings` are those of a Playwright context.

    At its end AssertionError lists the console's errors, uncaught exceptions, requests to any
    other host, and requests that failed.
    """
    problems: list[str] = []
    expect.set_options(timeout=_PATIENCE)
    async with async_playwright() as playwright:
        # Chromium's sandbox needs rights that a container does not give.
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-dev-shm-usage"],
            timeout=_PATIENCE,
        )
        page = await browser.new_page(base_url=origin, **settings)
        page.set_default_timeout(_PATIENCE)
        _watch(page, origin, problems)
        yield page
        await browser.close()
    assert problems == []


async def sign_in(page: Page) -> None:
    """With the management key of `tests.parts.seeded`."""
    await page.goto("/login")
    await page.get_by_label("Key").fill("ops-key")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/activity")


def _watch(page: Page, origin: str, problems: list[str]) -> None:
    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            problems.append(f"console: {message.text}")

    def see(request: Request) -> None:
        if not request.url.startswith(f"{origin}/"):
            problems.append(f"foreign: {request.url}")

    def miss(request: Request) -> None:
        # Leaving a page or starting a download aborts what it was about to load.
        if request.failure != "net::ERR_ABORTED":
            problems.append(f"failed: {request.url} {request.failure}")

    page.on("console", hear)
    page.on("pageerror", lambda error: problems.append(f"uncaught: {error}"))
    page.on("request", see)
    page.on("requestfailed", miss)
