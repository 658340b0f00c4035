"""Who may look at the pages: signing in and out."""

from contextlib import AsyncExitStack

import aiohttp
import pytest

from gateway.dashboard.access.attempts import MAX_FAILURES
from tests.parts.gateways import RunningGateway
from tests.parts.raw_client import connected
from tests.parts.visitor import text


async def test_signing_in_and_out(gateway: RunningGateway, browser: aiohttp.ClientSession) -> None:
    """A key opens the page that was asked for; the cookie is out of reach of scripts and sites."""
    form = {"key": "ops-key"}
    async with browser.get(f"{gateway.origin}/users?month=2020-01") as answer:
        assert answer.url.path == "/login"
        where = answer.url
    async with browser.post(where, data=form, allow_redirects=False) as answer:
        assert answer.status == 303
        assert answer.headers["Location"] == "/users?month=2020-01"
        cookie = answer.headers["Set-Cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=Strict", "Max-Age", "Path=/"))
    assert "Secure" not in cookie
    assert "January 2020" in await text(browser, f"{gateway.origin}/users?month=2020-01")
    async with browser.post(f"{gateway.origin}/logout") as answer:
        assert answer.url.path == "/login"
    assert "Sign in" in await text(browser, f"{gateway.origin}/users")


async def test_a_copy_of_a_cookie_is_signed_out(
    gateway: RunningGateway, browser: aiohttp.ClientSession
) -> None:
    """Signing out ends the session for whoever else has its cookie, and nobody else's."""
    copies = [await signed_in(browser, gateway) for _ in range(2)]
    async with browser.post(
        f"{gateway.origin}/logout", headers={"Cookie": copies[0]}, allow_redirects=False
    ) as answer:
        assert answer.status == 303
    statuses = []
    for copy in copies:
        async with browser.get(
            f"{gateway.origin}/users", headers={"Cookie": copy}, allow_redirects=False
        ) as answer:
            statuses.append(answer.status)
    assert statuses == [303, 200]


async def signed_in(browser: aiohttp.ClientSession, gateway: RunningGateway) -> str:
    """The cookie of a session that was begun just now."""
    browser.cookie_jar.clear()
    url, form = f"{gateway.origin}/login", {"key": "ops-key"}
    async with browser.post(url, data=form, allow_redirects=False) as answer:
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
    browser.cookie_jar.clear()
    return cookie


@pytest.mark.parametrize("where", ["https://evil.example", "//evil.example", "/\\evil.example", ""])
async def test_only_our_own_pages_follow(
    gateway: RunningGateway, browser: aiohttp.ClientSession, where: str
) -> None:
    """Signing in never leads to another site."""
    async with browser.post(
        f"{gateway.origin}/login",
        params={"next": where},
        data={"key": "ops-key"},
        allow_redirects=False,
    ) as answer:
        assert answer.headers["Location"] == "/activity"


async def test_attempts_are_limited(
    gateway: RunningGateway, browser: aiohttp.ClientSession
) -> None:
    """After some wrong keys even the right one has to wait."""
    url = f"{gateway.origin}/login"
    for _ in range(MAX_FAILURES):
        async with browser.post(url, data={"key": "wrong"}) as answer:
            assert answer.status == 401
            assert "not known" in await answer.text()
    async with browser.post(url, data={"key": "ops-key"}) as answer:
        assert answer.status == 429
        assert "Too many attempts" in await answer.text()
        assert 0 < int(answer.headers["Retry-After"]) <= 60


@pytest.mark.parametrize("path", ["/login", "/logout"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
    ],
)
async def test_forms_of_other_sites(
    gateway: RunningGateway, browser: aiohttp.ClientSession, path: str, headers: dict[str, str]
) -> None:
    """Another site's page can neither sign anyone in nor out."""
    data = {"key": "ops-key"}
    async with browser.post(gateway.origin + path, data=data, headers=headers) as answer:
        assert answer.status == 403
        assert "Set-Cookie" not in answer.headers


async def test_attempts_at_one_moment(gateway: RunningGateway) -> None:
    """Forms that are all begun before the first is judged count like others."""
    head = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n"
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(connected(gateway.origin))
            for _ in range(MAX_FAILURES + 3)
        ]
        for client in clients:
            client.send(head + b"Expect: 100-continue\r\n\r\n")
        for client in clients:
            assert (await client.head())[0] == 100
        for client in clients:
            client.send(b"key=wrong")
        statuses = [(await client.answer()).status for client in clients]
    assert (statuses.count(401), statuses.count(429)) == (MAX_FAILURES, 3)


async def test_cookie_that_is_no_text(gateway: RunningGateway) -> None:
    """Bytes that are not even UTF-8 sign nobody in, and are no failure of Hearth's."""
    async with connected(gateway.origin) as client:
        client.send(
            b"GET /users HTTP/1.1\r\nHost: localhost\r\nCookie: hearth_session=a.\xff\r\n\r\n"
        )
        assert (await client.answer()).status == 303
