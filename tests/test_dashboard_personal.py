"""One user's data over HTTP: handed out and erased by managers, and by nobody else's page."""

from collections.abc import AsyncIterator

import aiohttp
import msgspec
import pytest

from gateway.dashboard.addresses import link, user_path
from tests.parts.browsing import CHROMIUM, open_window
from tests.parts.gateways import RunningGateway
from tests.parts.recorded import read_json
from tests.parts.seeded import WEIRD, whole_month
from tests.parts.visitor import table

USER = "user_anna"


@pytest.fixture
async def browser(gateway: RunningGateway) -> AsyncIterator[aiohttp.ClientSession]:
    """One that is signed in with a management key."""
    async with signed_in(gateway, "ops-key") as session:
        yield session


def signed_in(gateway: RunningGateway, key: str) -> aiohttp.ClientSession:
    headers = {"Accept": "text/html", "Authorization": f"Bearer {key}"}
    return aiohttp.ClientSession(gateway.origin, headers=headers)


async def calls_of(gateway: RunningGateway, user: str) -> int:
    """How many calls of a user are on record."""
    address = link(f"{gateway.api}/generations", user=user, limit=1000)
    return len((await read_json(address, "ops-key"))["data"])


async def test_export(gateway: RunningGateway, browser: aiohttp.ClientSession) -> None:
    """A file with every call of the user, a line each."""
    async with browser.get(f"/users/{USER}?format=jsonl") as answer:
        assert answer.content_type == "application/jsonl"
        assert "attachment" in answer.headers["Content-Disposition"]
        lines = [msgspec.json.decode(line) for line in (await answer.read()).splitlines()]
    users = {line["record"]["user"] for line in lines}
    kinds = [line["kind"] for line in lines]
    assert users == {USER}
    assert kinds.count("generation") == await calls_of(gateway, USER)
    assert {"user", "day"} < set(kinds)


async def test_erase(gateway: RunningGateway, browser: aiohttp.ClientSession) -> None:
    """The page offers it; posting its form forgets the user, whatever the id, and nobody else."""
    others = await calls_of(gateway, "user_boris")
    for user in (USER, *WEIRD):
        address = user_path(user)
        async with browser.get(address) as answer:
            assert "Erase for good" in await answer.text()
        async with browser.post(address) as answer:
            assert answer.status == 200
            assert "Erased" in await answer.text()
        assert await calls_of(gateway, user) == 0
        async with browser.get(address) as answer:
            assert answer.status == 404
    assert await calls_of(gateway, "user_boris") == others


async def test_nobody_named(gateway: RunningGateway, browser: aiohttp.ClientSession) -> None:
    """Without an id there is nobody to show or to erase: calls without a user stay counted."""
    everyone = f"/users?format=csv&month={whole_month()}"
    before = await table(browser, everyone)
    assert any(row["user"] == "" for row in before)
    for address in ("/users/", "/users/?id=", "/users/?key=shop", "/users/?format=jsonl"):
        async with browser.get(address) as answer:
            assert answer.status == 400
            assert "Parameter `id` is missing" in await answer.text()
        async with browser.post(address) as answer:
            assert answer.status == 400
    assert await table(browser, everyone) == before


async def test_only_of_one_key(gateway: RunningGateway, browser: aiohttp.ClientSession) -> None:
    """On the page of one key's user, another key's user of that name stays."""
    async with browser.post(f"/users/{USER}?key=nobodys") as answer:
        assert answer.status == 200
    assert await calls_of(gateway, USER) > 0


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil"}],
)
async def test_forms_of_other_sites(
    gateway: RunningGateway, browser: aiohttp.ClientSession, headers: dict[str, str]
) -> None:
    """They erase nothing, though the browser sends the cookie along."""
    async with browser.post(f"/users/{USER}", headers=headers) as answer:
        assert answer.status == 403
    assert await calls_of(gateway, USER) > 0


async def test_client_keys_may_not(gateway: RunningGateway) -> None:
    """An application's key neither erases nor exports, and is not offered to."""
    async with signed_in(gateway, "shop-key") as session:
        async with session.post(f"/users/{USER}") as answer:
            assert answer.status == 403
        async with session.get(f"/users/{USER}?format=jsonl") as answer:
            assert answer.status == 403
        async with session.get("/users/user_boris") as answer:
            assert "Erase for good" not in await answer.text()
    assert await calls_of(gateway, USER) > 0


async def test_signing_in_first(gateway: RunningGateway) -> None:
    """Without a key the form leads to the login page."""
    async with (
        aiohttp.ClientSession(gateway.origin) as session,
        session.post(f"/users/{USER}") as answer,
    ):
        assert answer.url.path == "/login"
    assert await calls_of(gateway, USER) > 0


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
async def test_in_a_browser(gateway: RunningGateway) -> None:
    """The form is hidden until it is asked for, and erases with two clicks, without a script."""
    async with open_window(gateway.origin, java_script_enabled=False) as page:
        await page.goto(f"/login?next=/users/{USER}")
        await page.fill("input[name=key]", "ops-key")
        await page.press("input[name=key]", "Enter")
        assert not await page.is_visible("text=Erase for good")
        await page.click("text=Erase this user")
        await page.click("text=Erase for good")
        await page.wait_for_selector("h1:text('Erased')")
    assert await calls_of(gateway, USER) == 0
