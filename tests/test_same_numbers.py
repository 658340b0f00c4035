"""The same numbers everywhere: pages, APIs and tables say what a recount of the calls says.

One ledger, and two times: the month before this one, and the last thirty days, today included.
"""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from gateway.calendar import day_text, first_day, month_of
from gateway.cli import main
from gateway.dashboard.addresses import user_path
from gateway.dashboard.formats import count, money, share
from gateway.generation import Generation
from tests.parts import counting
from tests.parts.gateways import RunningGateway
from tests.parts.page_tables import figures, table
from tests.parts.seeded import KEYS, PROVIDERS, history
from tests.parts.told import (
    PROMPT_AND_COMPLETION,
    of_activity,
    of_generations,
    of_line,
    of_users,
    same,
    summed,
    told_of,
)
from tests.parts.visitor import csv_rows

pytestmark = pytest.mark.heavy

CALLS = history()
MONTH = month_of(int(time.time()) // 86400) - 1
SINCE, UNTIL = first_day(MONTH), first_day(MONTH + 1) - 1
USER, MODEL = "user_anna", "gpt-4o"
SECRETS = {str(key["name"]): str(key["key"]) for key in KEYS}


class Asked(msgspec.Struct, frozen=True):
    """Which calls: of one key, of one user, of one model, or of everyone in the time."""

    key: str | None = None
    user: str | None = None
    model: str | None = None

    def calls(self, since: int = SINCE, until: int = UNTIL) -> list[Generation]:
        """The raw calls."""
        return [
            each
            for each in CALLS
            if since <= each.day <= until
            and self.key in (None, each.tenant)
            and self.user in (None, each.user)
            and self.model in (None, each.model)
        ]

    @property
    def values(self) -> dict[str, str]:
        """As a query string has it."""
        return {name: value for name, value in msgspec.structs.asdict(self).items() if value}


ASKED = {
    "everyone": Asked(),
    "a key": Asked(key="bot"),
    "a user": Asked(user=USER),
    "a model": Asked(model=MODEL),
}
each_asked = pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)


class Reader:
    """Someone with a key, at pages and at APIs."""

    def __init__(self, session: aiohttp.ClientSession, gateway: RunningGateway) -> None:
        self._session = session
        self._gateway = gateway

    async def page(self, path: str, **values: object) -> str:
        return await self._text(self._gateway.origin + path, values, "text/html")

    async def page_csv(self, path: str, **values: object) -> list[dict[str, str]]:
        return csv_rows(await self.page(path, **values, format="csv"))

    async def api(self, path: str, key: str = "ops", **values: object) -> Any:
        text = await self._text(self._gateway.api + path, values, "application/json", key)
        return msgspec.json.decode(text)

    async def api_csv(self, path: str, **values: object) -> list[dict[str, str]]:
        return csv_rows(await self._text(self._gateway.api + path, values, "text/csv", "ops"))

    async def post(self, path: str, body: Mapping[str, Any], key: str = "ops") -> Any:
        headers = {"Authorization": f"Bearer {SECRETS[key]}"}
        url = self._gateway.api + path
        async with self._session.post(url, json=body, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            return (await answer.json())["data"]

    async def _text(
        self, url: str, values: Mapping[str, object], accept: str, key: str | None = None
    ) -> str:
        headers = {"Accept": accept}
        if key is not None:
            headers["Authorization"] = f"Bearer {SECRETS[key]}"
        params = {name: str(value) for name, value in values.items()}
        async with self._session.get(url, params=params, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.text()


@pytest.fixture
async def reader(gateway: RunningGateway) -> AsyncIterator[Reader]:
    """The manager, signed in."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        form = {"key": SECRETS["ops"]}
        async with session.post(f"{gateway.origin}/login", data=form) as answer:
            assert answer.url.path == "/activity"
        yield Reader(session, gateway)


FOOT = {"requests": "Requests", "errors": "Errors", "tokens": "Tokens"}


@each_asked
@pytest.mark.parametrize("group", ["model", "provider", "route", "key", "user"])
async def test_activity_page(reader: Reader, asked: Asked, group: str) -> None:
    """Its figures, its foot, the sum of its lines, and each line that has a name."""
    calls = asked.calls()
    span = {"since": day_text(SINCE), "until": day_text(UNTIL), "group_by": group}
    page = await reader.page("/activity", **span, **asked.values)
    shown, total = figures(page), counting.total(calls)
    names = {"requests": "Requests", "tokens": "Tokens", "cost": "Spend"}
    same({name: shown[title].number for name, title in names.items()}, calls)
    assert shown["Cached"].text == share(total.cached_tokens, total.prompt_tokens)
    *lines, foot = table(page, f"By {group}")
    assert foot["Spend"].text == money(total.cost)
    same({name: foot[title].number for name, title in FOOT.items()}, calls)
    sums = [of_line(line, "Spend") for line in lines]
    same({name: sum(line[name] for line in sums) for name in sums[0]}, calls)
    attribute = {"key": "tenant"}.get(group, group)
    named = counting.grouped(calls, lambda one: getattr(one, attribute))
    for line in lines:
        if own := named.get(line[group.capitalize()].text):
            same(of_line(line, "Spend"), own)


@each_asked
async def test_activity_tables(reader: Reader, asked: Asked) -> None:
    """The page's CSV, by user and not."""
    span = {"since": day_text(SINCE), "until": day_text(UNTIL), **asked.values}
    for group in ("model", "user"):
        rows = await reader.page_csv("/activity", **span, group_by=group)
        same(of_activity(rows, own=group == "user" or asked.user is not None), asked.calls())


@pytest.mark.parametrize("asked", [Asked(), Asked(key="bot"), Asked(user=USER)], ids=str)
async def test_activity_api(reader: Reader, asked: Asked) -> None:
    """OpenRouter's rows, and Hearth's by any group, as JSON and as CSV."""
    values = {"since": day_text(SINCE), "until": day_text(UNTIL)}
    if asked.key:
        values["api_key_hash"] = sha256(SECRETS[asked.key].encode()).hexdigest()
    if asked.user:
        values["user"] = asked.user
    for groups in ({}, {"group_by": "user"}, {"group_by": "key,route"}):
        own = bool(groups) or asked.user is not None
        rows = (await reader.api("/activity", **values, **groups))["data"]
        same(of_activity(rows, own), asked.calls())
        rows = await reader.api_csv("/activity", **values, **groups)
        same(of_activity(rows, own), asked.calls())


async def test_activity_of_hours(reader: Reader) -> None:
    """By the hour, a day's page has the figures that the day has."""
    span = {"since": day_text(UNTIL), "until": day_text(UNTIL), "per": "hour"}
    shown = figures(await reader.page("/activity", **span))
    calls = Asked().calls(UNTIL, UNTIL)
    same({"requests": shown["Requests"].number, "cost": shown["Spend"].number}, calls)


@pytest.mark.parametrize("asked", [Asked(), Asked(key="bot")], ids=str)
async def test_users_page(reader: Reader, asked: Asked) -> None:
    """Every line of the grid and of its CSV, and the boards above."""
    month = {"month": day_text(SINCE)[:7], **asked.values}
    page = await reader.page("/users", **month)
    rows = await reader.page_csv("/users", **month)
    expected = counting.users(asked.calls())
    name = f"{datetime.fromtimestamp(SINCE * 86400, UTC):%B %Y}"
    lines = table(page, f"Users of {name}")
    assert len(lines) == len(rows) == len(expected)
    for line, row, user in zip(lines, rows, expected, strict=True):
        told, counts = told_of(user.counts), user.counts
        assert line["Requests"].number == told["requests"]
        assert line["Errors"].number == told["errors"]
        assert line["Flags"].number == told["flags"]
        assert line["Total Cost"].number == told["cost"]
        assert line["Cached"].text == share(counts.cached_tokens, counts.prompt_tokens)
        assert line["Avg Tokens / Req"].text == count(told["tokens"] / counts.requests)
        assert row["user"].removeprefix("'") == (user.user or "")
        assert of_users([row]) == told
    same(of_users(rows), asked.calls())


def last_thirty_days() -> tuple[int, int]:
    """As whoever asks now has them: the run of all tests may go on past midnight."""
    today = int(time.time()) // 86400
    return today - 29, today


async def test_user_page(reader: Reader) -> None:
    """One user's figures, lines by model, provider and day, and CSV: of the last thirty days."""
    calls = Asked(user=USER).calls(*last_thirty_days())
    page = await reader.page(user_path(USER), days=30)
    shown, total = figures(page), counting.total(calls)
    names = {"requests": "Requests", "tokens": "Tokens", "cost": "Spend"}
    same({name: shown[title].number for name, title in names.items()}, calls)
    assert shown["Cached"].text == share(total.cached_tokens, total.prompt_tokens)
    same({"errors": shown["Errors"].number, "flags": shown["Flags"].number}, calls)
    for region in ("Models", "Providers", "Days"):
        lines = [of_line(line, "Cost") for line in table(page, region)]
        same({name: sum(line[name] for line in lines) for name in lines[0]}, calls)
    same(of_activity(await reader.page_csv(user_path(USER), days=30), own=True), calls)


async def test_providers_page(reader: Reader) -> None:
    """What each provider was asked in the last thirty days, on the page and in its CSV."""
    calls = Asked().calls(*last_thirty_days())
    lines = table(await reader.page("/providers", days=30), "Providers")
    rows = await reader.page_csv("/providers", days=30)
    assert {row["provider"] for row in rows} == {str(each["name"]) for each in PROVIDERS}
    for line, row in zip(lines, rows, strict=True):
        own = [one for one in calls if one.provider == row["provider"]]
        same(of_line(line, "Spend"), own)
        same(of_users([row]), own)
        assert line["Home"].number == sum(one.route == "home" for one in own)


@each_asked
async def test_generations(reader: Reader, asked: Asked) -> None:
    """The log: its pages, its CSV and the API's list have the calls, and no other."""
    span = {"since": day_text(SINCE), "until": day_text(UNTIL + 1), **asked.values}
    rows = (await reader.api("/generations", **span, limit=1000))["data"]
    more = (await reader.api("/generations", **span, limit=1000, flagged="true"))["data"]
    calls = asked.calls()
    assert len(calls) > 0
    page = await reader.page("/generations", **span, limit=1000)
    assert len(table(page, "Generations, newest first")) == min(len(calls), 1000)
    if len(calls) < 1000:
        same(of_generations(rows, lambda row: len(row["hearth"]["flags"])), calls)
    same({"requests": len(more)}, [one for one in calls if one.flags])
    same(of_generations(await reader.page_csv("/generations", **span), _flags), calls)


def _flags(row: Mapping[str, str]) -> int:
    return len(msgspec.json.decode(row["flags"], type=list[Any]))


@each_asked
async def test_helicone(reader: Reader, asked: Asked) -> None:
    """Its users' sums, by either of its two queries, within a time and with a filter."""
    span = {"startTimeUnixSeconds": SINCE * 86400, "endTimeUnixSeconds": (UNTIL + 1) * 86400}
    tests = [
        *([{"user_id": {"equals": asked.user}}] if asked.user else []),
        *([{"model": {"equals": asked.model}}] if asked.model else []),
    ]
    body = {
        "filter": {"request_response_rmt": tests[0]} if tests else "all",
        "timeFilter": span,
        "offset": 0,
        "limit": 1000,
    }
    data = await reader.post("/user/metrics/query", body, asked.key or "ops")
    tokens = ("total_prompt_tokens", "total_completion_tokens")
    told = summed(data["users"], requests="total_requests", tokens=tokens, cost="cost")
    same(told, asked.calls())
    assert data["count"] == len(counting.users(asked.calls()))
    if not asked.model:
        users = {"userIds": [asked.user]} if asked.user else {}
        rows = await reader.post("/user/query", {"timeFilter": span, **users}, asked.key or "ops")
        told = summed(rows, requests="count", tokens=PROMPT_AND_COMPLETION, cost="cost")
        same(told, asked.calls())


async def test_helicone_overview(reader: Reader) -> None:
    """Its distributions hold as many users as have no more than the percentile."""
    rows = counting.users(CALLS)
    body = {"filter": "all", "pSize": "p95", "useInterquartile": False}
    data = await reader.post("/user/metrics-overview/query", body)
    for name, values in (
        ("request_count", [row.counts.requests for row in rows]),
        ("user_cost", [row.counts.cost for row in rows]),
    ):
        most = statistics.quantiles(values, n=20, method="inclusive")[-1]
        assert sum(bar["value"] for bar in data[name]) == sum(each <= most for each in values)


METRICS = {
    "requests": "request_count",
    "errors": "error_count",
    "flags": "flag_count",
    "tokens": "tokens_total",
    "cached": "cached_tokens",
    "cost": "total_usage",
}
BROKEN_DOWN: tuple[dict[str, Any], ...] = (
    {},
    {"dimensions": ["external_user", "api_key_id"]},
    {"dimensions": ["model", "provider"], "granularity": "day"},
    {"dimensions": ["route"], "granularity": "month"},
    {"dimensions": ["api_key_id"], "granularity": "hour", "limit": 10_000},
    {"dimensions": ["finish_reason"]},
)


@each_asked
async def test_analytics(reader: Reader, asked: Asked) -> None:
    """OpenRouter's table, however it is broken down and whatever it is read from."""
    fields = {"key": "api_key_id", "user": "external_user", "model": "model"}
    filters = [
        {"field": fields[name], "operator": "eq", "value": value}
        for name, value in asked.values.items()
    ]
    span = {"start": f"{day_text(SINCE)}T00:00:00Z", "end": f"{day_text(UNTIL + 1)}T00:00:00Z"}
    for more in BROKEN_DOWN:
        body = {"metrics": list(METRICS.values()), "filters": filters, "time_range": span, **more}
        result = await reader.post("/analytics/query", body)
        assert result["metadata"]["truncated"] is False
        same(summed(result["data"], **METRICS), asked.calls())


async def test_part_of_a_day(reader: Reader) -> None:
    """A time that begins and ends within days, where there is one: the same for all three APIs."""
    since, until = SINCE * 86400 + 12_345, UNTIL * 86400 + 54_321
    calls = [each for each in CALLS if since <= each.created_at / 1e6 < until]
    moments = [datetime.fromtimestamp(each, UTC).isoformat() for each in (since, until)]
    body = {
        "metrics": list(METRICS.values()),
        "time_range": {"start": moments[0], "end": moments[1]},
    }
    result = await reader.post("/analytics/query", body)
    same(summed(result["data"], **METRICS), calls)
    span = {"startTimeUnixSeconds": since, "endTimeUnixSeconds": until}
    rows = await reader.post("/user/query", {"timeFilter": span})
    same(summed(rows, requests="count", tokens=PROMPT_AND_COMPLETION, cost="cost"), calls)
    rows = await reader.page_csv("/generations", since=since, until=until)
    same(of_generations(rows, _flags), calls)


@pytest.mark.parametrize("user", [None, USER])
async def test_export(gateway: RunningGateway, tmp_path: Path, user: str | None) -> None:
    """What the command writes while the gateway runs."""
    calls = Asked(user=user).calls()
    readers = {
        "generations": lambda rows: of_generations(rows, _flags),
        "activity": lambda rows: of_activity(rows, own=True),
        "users": of_users,
    }
    for what, read in readers.items():
        await _export(tmp_path, what, user)
        same(read(csv_rows((tmp_path / what).read_text())), calls)


async def _export(folder: Path, what: str, user: str | None) -> None:
    arguments = ["export", what, "-c", str(folder / "config.yaml"), "--format", "csv"]
    arguments += ["--since", day_text(SINCE), "--until", day_text(UNTIL)]
    arguments += ["-o", str(folder / what), *(["--user", user] if user else [])]
    assert await asyncio.to_thread(main, arguments) == 0
