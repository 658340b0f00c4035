"""Who may look at the pages: signing in and out."""

import aiohttp
import pytest

from gateway.dashboard.access.attempts import MOST
from tests.gateways import RunningGateway
from tests.visitor import text


async def test_signing_in_and_out(closed: RunningGateway, browser: aiohttp.ClientSession) -> None:
    """A key opens the page that was asked for; the cookie is out of reach of scripts and sites."""
    form = {"key": "ops-key"}
    async with browser.get(f"{closed.origin}/users?month=2020-01") as answer:
        assert answer.url.path == "/login"
        where = answer.url
    async with browser.post(where, data=form, allow_redirects=False) as answer:
        assert answer.status == 303
        assert answer.headers["Location"] == "/users?month=2020-01"
        cookie = answer.headers["Set-Cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=Strict", "Max-Age", "Path=/"))
    assert "Secure" not in cookie
    assert "January 2020" in await text(browser, f"{closed.origin}/users?month=2020-01")
    async with browser.post(f"{closed.origin}/logout") as answer:
        assert answer.url.path == "/login"
    assert "Sign in" in await text(browser, f"{closed.origin}/users")


@pytest.mark.parametrize("where", ["https://evil.example", "//evil.example", "/\\evil.example", ""])
async def test_only_our_own_pages_follow(
    closed: RunningGateway, browser: aiohttp.ClientSession, where: str
) -> None:
    """Signing in never leads to another site."""
    async with browser.post(
        f"{closed.origin}/login",
        params={"next": where},
        data={"key": "ops-key"},
        allow_redirects=False,
    ) as answer:
        assert answer.headers["Location"] == "/activity"


async def test_attempts_are_limited(closed: RunningGateway, browser: aiohttp.ClientSession) -> None:
    """After some wrong keys even the right one has to wait."""
    url = f"{closed.origin}/login"
    for _ in range(MOST):
        async with browser.post(url, data={"key": "wrong"}) as answer:
            assert answer.status == 401
            assert "not known" in await answer.text()
    async with browser.post(url, data={"key": "ops-key"}) as answer:
        assert answer.status == 429
        assert "Too many attempts" in await answer.text()
        assert 0 < int(answer.headers["Retry-After"]) <= 60


@pytest.mark.parametrize("path", ["/login", "/logout"])
async def test_forms_of_other_sites(
    closed: RunningGateway, browser: aiohttp.ClientSession, path: str
) -> None:
    """Another site's page can neither sign anyone in nor out."""
    headers = {"Sec-Fetch-Site": "cross-site"}
    data = {"key": "ops-key"}
    async with browser.post(closed.origin + path, data=data, headers=headers) as answer:
        assert answer.status == 403
        assert "Set-Cookie" not in answer.headers
