"""Helicone's questions about users, asked of a ledger that is known."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gateway.api.helicone import user_search
from gateway.api.helicone.users import query_metrics, query_overview, query_users
from gateway.api.ledger_view import LAG_HEADER
from gateway.api.requests import read_requests
from gateway.errors import BadRequest, RequestTimeout, Unauthorized
from gateway.generation import Generation, Usage
from tests.parts.asking import NOON, Asker, decoded, recording
from tests.parts.generations import DAY, generation, refusal
from tests.parts.turning import longest_turn

MIDNIGHT = DAY * 86400
FIELDS = {
    *("id", "user_id", "active_for", "first_active", "last_active", "total_requests"),
    *("average_requests_per_day_active", "average_tokens_per_request"),
    *("total_completion_tokens", "total_prompt_tokens", "cost"),
}


def some() -> list[Generation]:
    """Two users of one key on three days, one of another key, and a refusal without a user."""
    return [
        generation(1, day=DAY - 2, cost=10**9),
        generation(2, day=DAY - 1),
        generation(3, day=DAY, model="large", latency_ms=900),
        generation(4, day=DAY, user="Ann_2", cost=3 * 10**9, status=404),
        generation(5, day=DAY, tenant="other", user="user_3"),
        refusal(6, day=DAY - 1),
    ]


async def ask(folder: Path, body: dict[str, Any], key: str = "sk-app") -> dict[str, Any]:
    """The data of a page of users."""
    async with recording(folder, some()) as context:
        asked = {"filter": "all", "offset": 0, "limit": 100} | body
        answer = decoded(await Asker(context, query_metrics, "user/metrics/query").post(asked, key))
    assert answer["error"] is None
    data: dict[str, Any] = answer["data"]
    return data


def ids(data: dict[str, Any]) -> list[str]:
    return [row["user_id"] for row in data["users"]]


def request(**tests: Any) -> dict[str, Any]:
    return {"request_response_rmt": tests}


def user(**tests: Any) -> dict[str, Any]:
    return {"users_view": tests}


def both(operator: str, left: Any, right: Any) -> dict[str, Any]:
    return {"left": left, "operator": operator, "right": right}


async def test_row(tmp_path: Path) -> None:
    """A user has Helicone's fields and no other, with its definitions of them."""
    data = await ask(tmp_path, {"sort": {"total_requests": "desc"}})
    row = data["users"][0]
    assert row.keys() == FIELDS
    assert (row["id"], row["user_id"], row["active_for"]) == ("user_1", "user_1", 3)
    assert row["first_active"] == "2024-10-02T00:00:01.000Z"
    assert row["last_active"] == "2024-10-04T00:00:03.000Z"
    assert (row["total_requests"], row["average_requests_per_day_active"]) == (3, 1.0)
    assert (row["total_prompt_tokens"], row["average_tokens_per_request"]) == (30, 15.0)
    assert row["cost"] == 1.000000014


async def test_calls_go_on_meanwhile(tmp_path: Path) -> None:
    """However much a filter has to test, the process' loop goes on turning."""
    tree: Any = request(model={"ilike": "%a%b%c%"})
    for _ in range(90):
        tree = both("or", tree, request(model={"ilike": "%a%b%c%d%"}))
    calls = [generation(number, model="abc" * 20) for number in range(1000)]
    async with recording(tmp_path, calls) as context:
        asker = Asker(context, query_metrics, "user/metrics/query")
        assert await longest_turn(asker.post({"filter": tree, "offset": 0, "limit": 1})) < 0.3


async def test_only_ones_own(tmp_path: Path) -> None:
    """A key sees users of its own, the latest active first; a management key sees everyone's."""
    own, everyone = await ask(tmp_path, {}), await ask(tmp_path, {}, "sk-ops")
    assert ids(own) == ["Ann_2", "user_1", ""]
    assert (own["count"], own["hasUsers"]) == (3, True)
    assert ids(everyone)[0] == "user_3"


@pytest.mark.parametrize(
    ("tests", "found"),
    [
        (user(user_user_id={"equals": "user_1"}), ["user_1"]),
        (request(user_id={"contains": "ann"}), ["Ann_2"]),
        (request(user_id={"like": "ann%"}), []),
        (request(user_id={"ilike": "ann__"}), ["Ann_2"]),
        (request(user_id={"not-equals": "Ann_2"}), ["user_1", ""]),
        (user(user_user_id={"not-contains": "ann"}), ["user_1", ""]),
        (user(user_total_requests={"gte": 2}), ["user_1"]),
        (user(user_cost={"gt": 1, "lt": 2}), ["user_1"]),
        (user(user_active_for={"not-equals": 1}), ["user_1"]),
        (user(user_last_active={"lt": "2024-10-04T00:00:04Z"}), ["user_1", ""]),
        (request(model={"equals": "large"}), ["user_1"]),
        (request(latency={"gte": 900}), ["user_1"]),
        (request(status={"equals": 404}), ["Ann_2"]),
        (request(cost={"gte": 1}), ["Ann_2", "user_1"]),
        (request(total_tokens={"equals": 15}, status={"equals": 200}), ["user_1"]),
        (request(request_created_at={"gte": "2024-10-04T00:00:00Z"}), ["Ann_2", "user_1"]),
        (request(request_created_at={"lt": "2024-10-02T00:00:02Z"}), ["user_1"]),
        (request(response_created_at={"lte": "2024-10-03T00:00:00Z"}), ["user_1"]),
        (both("and", request(model={"equals": "small"}), user(user_cost={"gt": 2})), ["Ann_2"]),
        (
            both("or", request(model={"equals": "large"}), request(status={"equals": 404})),
            ["Ann_2", "user_1"],
        ),
        (both("or", user(user_cost={"gt": 2}), request(user_id={"equals": ""})), ["Ann_2", ""]),
        (both("and", "all", both("or", "all", user(user_cost={"gt": 9}))), ["Ann_2", "user_1", ""]),
    ],
)
async def test_filters(tmp_path: Path, tests: dict[str, Any], found: list[str]) -> None:
    """Tests on single requests and on users hold as their operators say, joined as they are."""
    assert ids(await ask(tmp_path, {"filter": tests})) == found


@pytest.mark.parametrize(
    ("since", "until", "requests"),
    [
        (MIDNIGHT - 86400, MIDNIGHT, 1),
        (MIDNIGHT - 86400, NOON, 2),
        (MIDNIGHT - 2 * 86400 + 2, NOON, 2),
        (MIDNIGHT - 2 * 86400 + 1, MIDNIGHT + 3, 2),
        (MIDNIGHT + 3, MIDNIGHT + 4, 1),
    ],
)
async def test_time(tmp_path: Path, since: int, until: int, requests: int) -> None:
    """What is counted is what came within the time, to the second, within days or over them."""
    span = {"startTimeUnixSeconds": since, "endTimeUnixSeconds": until}
    data = await ask(
        tmp_path, {"timeFilter": span, "filter": user(user_user_id={"equals": "user_1"})}
    )
    assert [row["total_requests"] for row in data["users"]] == [requests]


async def test_order_and_pages(tmp_path: Path) -> None:
    """By the field asked for; `count` is of all, whatever the page."""
    by_cost = {"sort": {"cost": "asc"}, "offset": 1, "limit": 1}
    data = await ask(tmp_path, by_cost)
    assert (ids(data), data["count"]) == (["user_1"], 3)
    assert ids(await ask(tmp_path, {"sort": {"id": "asc"}})) == ["", "Ann_2", "user_1"]


async def test_time_zone(tmp_path: Path) -> None:
    """Moments are told on the asker's clock, so many minutes behind UTC."""
    data = await ask(tmp_path, {"timeZoneDifferenceMinutes": 90, "limit": 1})
    assert data["users"][0]["last_active"] == "2024-10-03T22:30:04.000Z"


async def test_nobody_meant(tmp_path: Path) -> None:
    """`hasUsers` is about the key, not about the filter."""
    data = await ask(tmp_path, {"filter": user(user_cost={"gt": 99})})
    assert (data["users"], data["count"], data["hasUsers"]) == ([], 0, True)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"limit": 1001}, "Limit cannot be greater than 1000"),
        ({"limit": -1}, "$.limit"),
        ({"offset": "x"}, "$.offset"),
        ({"filter": request(properties={"a": {"equals": "b"}})}, "properties"),
        ({"filter": request(country_code={"equals": "DE"})}, "country_code"),
        ({"filter": user(user_cost={"near": 1})}, "near"),
        ({"filter": {"left": "all", "operator": "and"}}, "`right`"),
        ({"filter": both("or", request(model={"equals": "m"}), user(user_cost={"gt": 1}))}, "`or`"),
        ({"filter": "some"}, "$.filter"),
        ({"sort": {"rate_limited_count": "asc"}}, "rate_limited_count"),
        ({"extra": 1}, "extra"),
        ({"timeFilter": {"startTimeUnixSeconds": 2, "endTimeUnixSeconds": 1}}, "timeFilter"),
    ],
)
async def test_refused(tmp_path: Path, body: dict[str, Any], named: str) -> None:
    """What is unknown, malformed or cannot be told is a 400 that names it."""
    with pytest.raises(BadRequest) as refused:
        await ask(tmp_path, body)
    assert named in refused.value.message


async def test_deep_filter(tmp_path: Path) -> None:
    """A filter nested without end is refused, however it is read."""
    tree: Any = "all"
    for _ in range(150):
        tree = both("and", tree, "all")
    with pytest.raises(BadRequest):
        await ask(tmp_path, {"filter": tree})


async def test_many_tests(tmp_path: Path) -> None:
    """A filter has as many tests as the ledger takes at once, and no more."""
    tree: Any = user(user_cost={"gte": 0}, user_total_requests={"gt": 0})
    for _ in range(6):
        tree = both("or", tree, tree)
    assert len(ids(await ask(tmp_path, {"filter": tree}))) == 3
    with pytest.raises(BadRequest, match="more than 200 tests"):
        await ask(tmp_path, {"filter": both("and", tree, tree)})


async def test_long_pattern(tmp_path: Path) -> None:
    """A pattern that no id could be as long as is refused by name."""
    with pytest.raises(BadRequest, match="user_user_id"):
        await ask(tmp_path, {"filter": user(user_user_id={"like": "%" * 3000})})
    assert ids(await ask(tmp_path, {"filter": user(user_user_id={"like": "%" * 2048})}))


async def test_a_question_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking through single requests may take no longer than the time there is for it."""
    monkeypatch.setattr(user_search, "PATIENCE", 0.0)
    with pytest.raises(RequestTimeout, match="fewer tests"):
        await ask(tmp_path, {"filter": request(model={"like": "%"})})
    assert ids(await ask(tmp_path, {"filter": "all"}))


async def test_calls_without_a_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks for those that name nobody has only those read."""
    monkeypatch.setattr(user_search, "read_requests", partial(read_requests, most=1))
    nameless = user(user_user_id={"equals": ""})
    tests = both("and", request(model={"equals": "small"}), nameless)
    assert ids(await ask(tmp_path, {"filter": tests})) == [""]


async def test_unknown_key(tmp_path: Path) -> None:
    """Without a key there is nothing to see."""
    with pytest.raises(Unauthorized):
        await ask(tmp_path, {}, "sk-nobody")


async def test_overview(tmp_path: Path) -> None:
    """Ten bars hold every user up to the percentile."""
    calls = [generation(n, user=f"u{n % 10}", usage=Usage()) for n in range(55)]
    calls += [generation(100 + n, user="u0") for n in range(100)]
    async with recording(tmp_path, calls) as context:
        asker = Asker(context, query_overview, "user/metrics-overview/query")
        whole = await asker.post({"filter": "all", "pSize": "p99.9", "useInterquartile": False})
        most = decoded(await asker.post({"filter": "all"}))["data"]
        middle = decoded(await asker.post({"filter": "all", "useInterquartile": True}))["data"]
    assert whole.headers[LAG_HEADER] == "0.000"
    assert most.keys() == {"request_count", "user_cost"}
    assert sum(row["value"] for row in most["request_count"]) == 9
    assert most["request_count"][0]["range_start"] == "5"
    assert sum(row["value"] for row in middle["request_count"]) <= 9
    assert most["request_count"][0].keys() == {"range_start", "range_end", "value"}


async def test_sums(tmp_path: Path) -> None:
    """Users by id, or everyone, who cost most first; a time in seconds."""
    async with recording(tmp_path, some()) as context:
        asker = Asker(context, query_users, "user/query")
        everyone = decoded(await asker.post({}, "sk-app"))["data"]
        named = decoded(await asker.post({"userIds": ["user_1", "nobody"]}, "sk-app"))["data"]
        span = {"startTimeUnixSeconds": MIDNIGHT, "endTimeUnixSeconds": NOON}
        today = decoded(await asker.post({"userIds": ["user_1"], "timeFilter": span}))["data"]
    assert [row["user_id"] for row in everyone] == ["Ann_2", "user_1", ""]
    assert named == [
        {
            "count": 3,
            "prompt_tokens": 30,
            "completion_tokens": 15,
            "user_id": "user_1",
            "cost": 1.000000014,
        }
    ]
    assert [row["count"] for row in today] == [1]
