"""Which form of an answer a client asks for."""

import aiohttp
import pytest

from gateway.api.accept import preferred
from tests.parts.gateways import RunningGateway

KINDS = ("application/json", "text/csv", "text/html")


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", None),
        ("*/*", None),
        ("text/*, image/png", None),
        ("text/csv", "text/csv"),
        ("TEXT/CSV; charset=utf-8 ; header=present", "text/csv"),
        ("application/json, text/csv;q=0.1", "application/json"),
        ("text/csv;q=0.1,application/json", "application/json"),
        ("text/csv, application/json", "text/csv"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
        ("text/html; q=0, */*", None),
        ("text/html;q=0, text/csv;q=0.001", "text/csv"),
        ("text/html;q=much, text/csv;q=0.9", "text/html"),
        ("text/html;q=nan", None),
        (";;,,;q=1", None),
    ],
)
def test_preferred(accept: str, kind: str | None) -> None:
    """What is named with most weight, of equals the first; never what is named with none."""
    assert preferred(accept, KINDS) == kind


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/html", "text/html"),
        ("application/json, text/html;q=0.9", "application/json"),
        ("text/csv, text/html;q=0.9", "text/csv"),
        ("text/html;q=0", "application/json"),
    ],
)
async def test_an_address_with_a_page(
    gateway: RunningGateway, http: aiohttp.ClientSession, accept: str, kind: str
) -> None:
    """Who would rather have data gets data where browsers get a page."""
    headers = {"Authorization": "Bearer ops-key", "Accept": accept}
    async with http.get(f"{gateway.origin}/activity", headers=headers) as answer:
        assert (answer.status, answer.content_type) == (200, kind)
