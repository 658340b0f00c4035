"""What is chosen on a page: it is in the address, the form says so, and nothing else is sent."""

import re
import time
from pathlib import Path

import aiohttp
import pytest

from gateway.calendar import day_text
from tests.parts.gateways import RunningGateway, running_gateway
from tests.parts.generations import generation
from tests.parts.seeded import seed
from tests.parts.visitor import sign_in, text


@pytest.mark.parametrize("page", ["activity", "generations"])
async def test_filters_by_what_is_no_longer_configured(
    gateway: RunningGateway, browser: aiohttp.ClientSession, page: str
) -> None:
    """A provider or key that is gone still has its calls: the form says that they are chosen."""
    await sign_in(browser, gateway, "ops-key")
    shown = await text(browser, f"{gateway.origin}/{page}?provider=elm&key=kiosk")
    assert re.findall(r'<option value="(\w+)" selected>(\w+)<', shown) == [
        *(("elm", "elm"), ("kiosk", "kiosk")),
    ]


async def test_steps_that_fit(gateway: RunningGateway, browser: aiohttp.ClientSession) -> None:
    """Who chooses days alone, of which there may be a year's, sends no steps with the form."""
    await sign_in(browser, gateway, "ops-key")
    page = await text(browser, f"{gateway.origin}/activity")
    steps = page.partition('<select name="per">')[2].partition("</select>")[0]
    assert re.findall(r"<option(.*?)>(\w+)", steps) == [
        *((' value=""', "auto"), ("", "hour"), ("", "day"), ("", "month")),
    ]
    await text(browser, f"{gateway.origin}/activity?since=2024-01-01&until=2024-12-31&per=")


async def test_an_address_has_only_what_was_chosen(
    gateway: RunningGateway, browser: aiohttp.ClientSession
) -> None:
    """Fields of a form that were left empty are not in the address that is kept or sent on."""
    await sign_in(browser, gateway, "ops-key")
    sent = "/generations?user=&model=gpt-4o&status=&since=+&key=shop"
    async with browser.get(gateway.origin + sent) as answer:
        assert (answer.status, answer.url.raw_path_qs) == (
            200,
            "/generations?model=gpt-4o&key=shop",
        )


async def test_a_way_back_from_filters_that_are_wrong(
    gateway: RunningGateway, browser: aiohttp.ClientSession
) -> None:
    """The page that says what is wrong leads to the one without that filter, or without any."""
    await sign_in(browser, gateway, "ops-key")
    path = "/generations?no_user=true&user=user_anna"
    page = await text(browser, gateway.origin + path, 400)
    assert 'href="/generations?user=user_anna">Go on without “no_user”' in page
    assert 'href="/generations">Remove all filters' in page
    assert "Remove all filters" not in await text(browser, f"{gateway.origin}/generation", 400)


async def test_a_search_keeps_the_order(
    gateway: RunningGateway, browser: aiohttp.ClientSession
) -> None:
    """Who sorted the users and then looks for some, or for one key's, still has them sorted."""
    await sign_in(browser, gateway, "ops-key")
    page = await text(browser, f"{gateway.origin}/users?sort=errors&direction=up")
    search = page.partition('role="search"')[2].partition("</form>")[0]
    assert re.findall(r'type="hidden" name="(\w+)" value="(\w+)"', search) == [
        *(("sort", "errors"), ("direction", "up")),
    ]


async def test_today_is_not_over(gateway: RunningGateway, browser: aiohttp.ClientSession) -> None:
    """A change of days that are over says no more; one with today in it says that it is not."""
    await sign_in(browser, gateway, "ops-key")
    page = await text(browser, f"{gateway.origin}/activity")
    assert re.search(r"% so far</dd>", page)
    assert "today is not over yet" in page
    today = int(time.time()) // 86400
    past = f"since={day_text(today - 10)}&until={day_text(today - 1)}"
    page = await text(browser, f"{gateway.origin}/activity?{past}")
    assert re.search(r"%</dd>", page)
    assert "so far" not in page
    assert "not over" not in page


@pytest.mark.parametrize(
    ("chosen", "step"), [("", "hour"), ("&group_by=user", "day"), ("&user=user_1", "day")]
)
async def test_today_is_drawn_by_the_hour(
    tmp_path: Path, browser: aiohttp.ClientSession, chosen: str, step: str
) -> None:
    """A chart of a single bar would say nothing; by user there are no hours."""
    now = int(time.time())
    await seed(tmp_path, [generation(created_at=now * 1_000_000)])
    async with running_gateway(tmp_path, [{"name": "a", "base_url": "http://127.0.0.1:9"}]) as one:
        page = await text(browser, f"{one.origin}/activity?since={day_text(now // 86400)}{chosen}")
    assert f"Cost by {step} and " in page
