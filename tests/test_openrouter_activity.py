"""Daily activity: whose rows, of which days, in what form, and that they add up."""

import csv
import io
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from gateway.api.ledger_view import LAG_HEADER
from gateway.api.openrouter.activity import get_activity
from gateway.api.openrouter.activity_item import COLUMNS, USER_COLUMNS, own_columns
from gateway.errors import BadRequest, Forbidden, Unauthorized
from gateway.generation import Generation
from tests.parts.asking import Asker, decoded, recording
from tests.parts.counting import total
from tests.parts.generations import DAY, generation, refusal
from tests.parts.turning import longest_turn

TODAY = "2024-10-04"
OUT_OF_RANGE = "Date must be within the last 30 (completed) UTC days"


def some() -> list[Generation]:
    """Of today, of three completed days, and of one that is too long ago."""
    return [
        generation(1, day=DAY),
        generation(2, day=DAY - 1),
        generation(3, day=DAY - 1, user="user_2", cost=11),
        generation(4, day=DAY - 1, model="large", provider="b"),
        generation(5, day=DAY - 1, tenant="other"),
        refusal(6, day=DAY - 2),
        generation(7, day=DAY - 30),
        generation(8, day=DAY - 31),
    ]


async def rows(folder: Path, query: str = "") -> list[dict[str, Any]]:
    async with recording(folder, some()) as context:
        data: list[dict[str, Any]] = (await Asker(context, get_activity, "activity").json(query))[
            "data"
        ]
        return data


async def test_rows_are_openrouters(tmp_path: Path) -> None:
    """One row a day, model and provider, newest first, with OpenRouter's fields and no other."""
    found = await rows(tmp_path)
    assert all(tuple(row) == COLUMNS for row in found)
    assert [(row["date"], row["model"], row["requests"]) for row in found] == [
        ("2024-10-03", "large", 1),
        ("2024-10-03", "small", 3),
        ("2024-10-02", "small", 1),
        ("2024-09-04", "small", 1),
    ]


@pytest.mark.parametrize("query", ["", "group_by=user", "include_today=true"])
async def test_rows_add_up(tmp_path: Path, query: str) -> None:
    """Every counter summed over the rows is the sum over the generations of those days."""
    found = await rows(tmp_path, query)
    last = DAY if "today" in query else DAY - 1
    counts = total(one for one in some() if DAY - 30 <= one.day <= last)
    assert sum(row["requests"] for row in found) == counts.requests
    assert sum(row["prompt_tokens"] for row in found) == counts.prompt_tokens
    assert sum(row["completion_tokens"] for row in found) == counts.completion_tokens
    assert sum(row["cached_tokens"] for row in found) == counts.cached_tokens
    assert sum(round(row["usage"] * 10**9) for row in found) == counts.cost


async def test_by_user(tmp_path: Path) -> None:
    """`group_by=user` keeps users apart and says who had errors and flags."""
    found = await rows(tmp_path, "group_by=user&date=2024-10-03")
    assert all(tuple(row) == USER_COLUMNS for row in found)
    assert [(row["model"], row["user"], row["requests"]) for row in found] == [
        ("large", "user_1", 1),
        ("small", "user_1", 1),
        ("small", "user_1", 1),
        ("small", "user_2", 1),
    ]


@pytest.mark.parametrize(
    ("group_by", "groups"),
    [("key", ("key",)), ("route", ("route",)), ("route,key", ("key", "route"))],
)
async def test_by_key_and_route(tmp_path: Path, group_by: str, groups: tuple[str, ...]) -> None:
    """`group_by` takes `key` and `route`, too, and both: rows apart by them add up to the same."""
    found = await rows(tmp_path, f"group_by={group_by}")
    names = [name for name in found[0] if name in ("key", "route", "user")]
    assert tuple(names) == groups
    assert sum(row["requests"] for row in found) == 6


async def test_warmth(tmp_path: Path) -> None:
    """Rows asked for by user say how warm they were: share and worth of the cache, moves, cost."""
    calls = [
        generation(1, day=DAY - 1, cache_discount=3 * 10**9, route="home"),
        generation(2, day=DAY - 1, moved_from="b", move_cost=2 * 10**9, route="failover"),
        refusal(3, day=DAY - 1),
    ]
    async with recording(tmp_path, calls) as context:
        asker = Asker(context, get_activity, "activity")
        by_user = (await asker.json("group_by=user"))["data"]
        by_route = (await asker.json("group_by=route"))["data"]
    warm = next(row for row in by_user if row["user"])
    assert warm["cached_share"] == 0.4
    assert (warm["cache_discount"], warm["moves"], warm["move_cost"]) == (3.0, 1, 2.0)
    assert next(row for row in by_user if not row["user"])["cached_share"] is None
    assert {row["route"]: row["moves"] for row in by_route} == {"home": 0, "failover": 1, None: 0}
    assert all(tuple(row) == own_columns(frozenset({"route"})) for row in by_route)


async def test_lag(tmp_path: Path) -> None:
    """Every answer says how far the ledger lags; its body does where its form is Hearth's own."""
    async with recording(tmp_path, some()) as context:
        asker = Asker(context, get_activity, "activity")
        plain, own = await asker.answer(), await asker.answer("group_by=user")
        table = await asker.answer("format=csv")
    assert [each.headers[LAG_HEADER] for each in (plain, own, table)] == ["0.000"] * 3
    assert "meta" not in decoded(plain)
    assert decoded(own)["meta"] == {"lag": 0.0}


async def test_refusals_show_as_errors_and_flags(tmp_path: Path) -> None:
    """A call that was refused for want of a user has none, and counts as an error and a flag."""
    (refused,) = await rows(tmp_path, "group_by=user&date=2024-10-02")
    assert (refused["user"], refused["errors"], refused["flags"]) == (None, 1, 1)


@pytest.mark.parametrize(
    ("query", "requests"),
    [
        ("date=2024-10-03", 4),
        ("date=2024-09-04", 1),
        (f"date={TODAY}&include_today=true", 1),
        ("user=user_2", 1),
        ("since=2024-10-02&until=2024-10-02", 1),
        ("since=2024-09-03", 7),
        (f"api_key_hash={sha256(b'sk-other').hexdigest()}", 1),
        (f"api_key_hash={sha256(b'sk-nobody').hexdigest()}", 0),
    ],
)
async def test_filters(tmp_path: Path, query: str, requests: int) -> None:
    """A day, a range, a user, a key: only what they name is counted."""
    assert sum(row["requests"] for row in await rows(tmp_path, query)) == requests


@pytest.mark.parametrize("form", ["json", "csv"])
async def test_calls_go_on_meanwhile(tmp_path: Path, form: str) -> None:
    """However many rows an answer has, the process' loop goes on turning."""
    calls = [generation(number, day=DAY - 1, user=f"user_{number}") for number in range(10_000)]
    async with recording(tmp_path, calls) as context:
        asker = Asker(context, get_activity, "activity")
        asked = f"group_by=user&format={form}"
        await asker.answer(asked)  # ships what is recorded
        assert await longest_turn(asker.answer(asked)) < 0.2


@pytest.mark.parametrize("date", [TODAY, "2024-09-03", "2024-10-05"])
async def test_days_out_of_range(tmp_path: Path, date: str) -> None:
    """Today, and what is over 30 days ago, is refused in OpenRouter's words."""
    async with recording(tmp_path) as context:
        with pytest.raises(BadRequest) as refused:
            await Asker(context, get_activity, "activity").answer(f"date={date}")
    assert refused.value.message == OUT_OF_RANGE


@pytest.mark.parametrize(
    "query",
    [
        *("date=today", "date=2024-13-01", "format=xml", "group_by=workspace", "user_id=u"),
        *("workspace_id=w", "include_today=1", "since=2024-10-02&until=2024-10-01", "days=3"),
        *("since=2024-10-04", "since=2024-10-05&include_today=true"),
    ],
)
async def test_refused_queries(tmp_path: Path, query: str) -> None:
    """What is unknown, malformed or about OpenRouter's organisations is a 400."""
    async with recording(tmp_path) as context:
        with pytest.raises(BadRequest):
            await Asker(context, get_activity, "activity").answer(query)


async def test_management_keys_only(tmp_path: Path) -> None:
    """Any other key is turned away in OpenRouter's words, an unknown one as unknown."""
    async with recording(tmp_path) as context:
        asker = Asker(context, get_activity, "activity")
        with pytest.raises(Forbidden) as refused:
            await asker.answer("", "sk-app")
        with pytest.raises(Unauthorized):
            await asker.answer("", "sk-nobody")
    assert refused.value.message == "Only management keys can perform this operation"


@pytest.mark.parametrize(("query", "accept"), [("format=csv", ""), ("", "text/csv")])
async def test_csv(tmp_path: Path, query: str, accept: str) -> None:
    """The same rows as a download, when asked for by parameter or by Accept."""
    async with recording(tmp_path, some()) as context:
        asker = Asker(context, get_activity, "activity")
        answer = await asker.answer(query, accept=accept)
        expected = (await asker.json())["data"]
    assert (answer.content_type, answer.charset) == ("text/csv", "utf-8")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="activity-{TODAY}.csv"'
    assert answer.text is not None
    table = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert table == [{name: str(value) for name, value in row.items()} for row in expected]


async def test_format_beats_accept(tmp_path: Path) -> None:
    """`format=json` holds against an Accept that asks for CSV."""
    async with recording(tmp_path) as context:
        answer = await Asker(context, get_activity, "activity").answer(
            "format=json", "sk-ops", "text/csv"
        )
    assert (answer.content_type, answer.text) == ("application/json", '{"data":[]}')
