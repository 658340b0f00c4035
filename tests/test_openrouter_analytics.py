"""OpenRouter's analytics, asked of a ledger that is known."""

import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from gateway.api.context import ANALYTICS_QUERIES
from gateway.api.ledger_view import LAG_HEADER
from gateway.api.openrouter.analytics.answer import query_analytics
from gateway.api.openrouter.analytics.dimensions import DIMENSIONS
from gateway.api.openrouter.analytics.meta import get_meta
from gateway.api.openrouter.analytics.metrics import METRICS
from gateway.api.openrouter.analytics.query import AnalyticsFilter, AnalyticsQuery, Value
from gateway.api.openrouter.analytics.table import TableMaker
from gateway.errors import BadRequest, Forbidden, TooManyRequests
from gateway.generation import Generation, Usage
from gateway.ledger.counts import Counts
from gateway.ledger.results import ActivityRow
from tests.parts.asking import Asker, decoded, recording
from tests.parts.generations import DAY, generation, refusal

TODAY = {"start": "2024-10-04T00:00:00Z", "end": "2024-10-05T00:00:00Z"}
HOUR = 3_600_000_000


def some() -> list[Generation]:
    """Two models, three users, two keys, on two days and in two hours of the second."""
    used = Usage(prompt_tokens=100, completion_tokens=50, cached_tokens=80)
    midnight = DAY * 24 * HOUR
    return [
        generation(1, day=DAY - 1, cost=10**9, finish_reason="end_turn"),
        generation(2, cost=2 * 10**9, usage=used, latency_ms=100, route="home"),
        generation(3, latency_ms=300, user="user_2", route="failover", moved_from="b"),
        generation(4, latency_ms=500, user="user_2", model="large", created_at=midnight + HOUR),
        generation(5, latency_ms=700, user="user_3", tenant="other", created_at=midnight + HOUR),
        refusal(6),
    ]


async def ask(folder: Path, **body: Any) -> dict[str, Any]:
    """The result of one question; it counts requests unless it says."""
    async with recording(folder, some()) as context:
        asker = Asker(context, query_analytics, "analytics/query")
        data: dict[str, Any] = decoded(await asker.post({"metrics": ["request_count"]} | body))[
            "data"
        ]
        return data


async def lines(folder: Path, **body: Any) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in (await ask(folder, **body))["data"]]


async def test_total(tmp_path: Path) -> None:
    """Without dimensions there is one row; it sums what is counted, and says what it took."""
    metrics = ["request_count", "tokens_total", "total_usage", "cache_hit_rate", "error_count"]
    result = await ask(tmp_path, metrics=metrics, time_range=TODAY)
    (row,) = result["data"]
    assert tuple(row) == tuple(metrics)
    assert row["request_count"] == 5
    assert row["tokens_total"] == 150 + 3 * 15
    assert row["total_usage"] == 2.000000021
    assert row["cache_hit_rate"] == (80 + 3 * 4) / (100 + 3 * 10)
    assert row["error_count"] == 1
    assert result["metadata"]["row_count"] == 1
    assert result["metadata"]["truncated"] is False
    assert "warnings" not in result


@pytest.mark.parametrize(
    ("dimensions", "found"),
    [
        (["model"], [("small", 5), ("large", 1)]),
        (["provider"], [("a", 5), (None, 1)]),
        (["api_key_id"], [("app", 5), ("other", 1)]),
        (["external_user"], [("user_1", 2), ("user_2", 2), (None, 1), ("user_3", 1)]),
        (["route"], [(None, 4), ("failover", 1), ("home", 1)]),
        (["finish_reason"], [(None, 5), ("stop", 1)]),
        (
            ["external_user", "api_key_id"],
            [
                *(("user_1", "app", 2), ("user_2", "app", 2)),
                *((None, "app", 1), ("user_3", "other", 1)),
            ],
        ),
    ],
)
async def test_dimensions(tmp_path: Path, dimensions: list[str], found: list[Any]) -> None:
    """Rows are apart by what is asked for, the most first, whatever they are read from."""
    assert await lines(tmp_path, dimensions=dimensions) == found


@pytest.mark.parametrize(
    ("filters", "requests"),
    [
        ([("model", "eq", "large")], 1),
        ([("model", "neq", "large")], 5),
        ([("external_user", "eq", "user_2")], 2),
        ([("external_user", "in", ["user_1", "user_3"])], 3),
        ([("external_user", "not_in", ["user_1"])], 3),
        ([("external_user", "not_in", ["user_1"], True)], 4),
        ([("provider", "in", ["a"], True)], 6),
        ([("api_key_id", "eq", "other")], 1),
        ([("api_key_id", "in", ["other", *map(str, range(19_999))])], 1),
        ([("api_key_id", "eq", sha256(b"sk-other").hexdigest())], 1),
        ([("finish_reason", "eq", "stop")], 1),
        ([("model", "eq", "small"), ("external_user", "eq", "user_2")], 1),
        ([("external_user", "gt", "user_1")], 3),
        ([("external_user", "gte", "user_1"), ("external_user", "lt", "user_3")], 4),
        ([("external_user", "lte", "user_1")], 2),
        ([("finish_reason", "gt", "s")], 1),
        ([("model", "gt", 7)], 6),
    ],
)
async def test_filters(tmp_path: Path, filters: list[Any], requests: int) -> None:
    """Only what passes every filter counts; keys may be named by their hash."""
    names = ("field", "operator", "value", "include_unset")
    asked = [dict(zip(names, each, strict=False)) for each in filters]
    assert await lines(tmp_path, filters=asked) == [(requests,)]


async def test_unknown_hash(tmp_path: Path) -> None:
    """A hash that is no key's matches nothing, and the answer warns of it."""
    asked = {"field": "api_key_id", "operator": "eq", "value": "0" * 64}
    result = await ask(tmp_path, filters=[asked])
    assert result["data"] == []
    assert result["warnings"] == [f"api_key_id: no key has the hash {'0' * 64}"]


@pytest.mark.parametrize(
    ("granularity", "found"),
    [
        (
            "hour",
            [("2024-10-04T01:00:00Z", 2), ("2024-10-04T00:00:00Z", 3), ("2024-10-03T00:00:00Z", 1)],
        ),
        ("day", [("2024-10-04", 5), ("2024-10-03", 1)]),
        ("week", [("2024-09-30", 6)]),
        ("month", [("2024-10-01", 6)]),
    ],
)
async def test_granularity(tmp_path: Path, granularity: str, found: list[Any]) -> None:
    """A row a stretch of time that has any requests, the newest first."""
    result = await ask(tmp_path, granularity=granularity)
    assert [tuple(row.values()) for row in result["data"]] == found
    assert list(result["data"][0]) == [f"date__{granularity}", "request_count"]


async def test_minutes(tmp_path: Path) -> None:
    """Minutes come from single requests, and so do hours by user."""
    span = {"start": "2024-10-04T00:00:00Z", "end": "2024-10-04T03:00:00Z"}
    by_minute = await lines(tmp_path, granularity="minute", time_range=span)
    assert by_minute == [("2024-10-04T01:00:00Z", 2), ("2024-10-04T00:00:00Z", 3)]


async def test_hours_by_user(tmp_path: Path) -> None:
    """What is not counted by the hour is read from single requests."""
    rows = await lines(tmp_path, granularity="hour", dimensions=["external_user"], time_range=TODAY)
    assert ("2024-10-04T01:00:00Z", "user_3", 1) in rows
    assert sum(row[-1] for row in rows) == 5


@pytest.mark.parametrize(
    ("start", "end", "requests"),
    [
        ("2024-10-03T00:00:01Z", "2024-10-04T00:00:03Z", 2),
        ("2024-10-03T00:00:02Z", "2024-10-04T00:00:03.5Z", 2),
        ("2024-10-04T00:00:02Z", "2024-10-04T00:00:04Z", 2),
        ("2024-10-01T00:00:00Z", "2024-12-01T00:00:00Z", 6),
        ("1970-01-01T00:00:00Z", "2024-10-04T00:00:00+02:00", 1),
    ],
)
async def test_time_range(tmp_path: Path, start: str, end: str, requests: int) -> None:
    """What is counted came within the time, to the second, within days or over them."""
    assert await lines(tmp_path, time_range={"start": start, "end": end}) == [(requests,)]


async def test_percentiles(tmp_path: Path) -> None:
    """Of the single requests of the time: a latency that so many percent do not exceed."""
    metrics = ["p50_latency", "p90_latency", "p99_latency", "avg_latency", "p50_throughput"]
    asked = {"field": "provider", "operator": "eq", "value": "a"}
    rows = await lines(tmp_path, metrics=metrics, time_range=TODAY, filters=[asked])
    assert rows == [(300, 700, 700, 400.0, 5 * 1000 / 500)]


async def test_order_and_limit(tmp_path: Path) -> None:
    """By a metric, a dimension or the date; what is left out shows as truncated."""
    down = await ask(
        tmp_path,
        dimensions=["external_user"],
        order_by={"field": "external_user", "direction": "desc"},
        limit=2,
    )
    assert [row["external_user"] for row in down["data"]] == ["user_3", "user_2"]
    assert down["metadata"]["truncated"] is True
    by_date = {"field": "date", "direction": "asc"}
    assert await lines(tmp_path, granularity="day", order_by=by_date) == [
        ("2024-10-03", 1),
        ("2024-10-04", 5),
    ]


async def test_usual_time(tmp_path: Path) -> None:
    """Unasked, the rows are those of seven UTC days, today's included."""
    calls = [generation(number, day=DAY - number) for number in range(9)]
    async with recording(tmp_path, calls) as context:
        asker = Asker(context, query_analytics, "analytics/query")
        asked = {"metrics": ["request_count"], "granularity": "day"}
        rows = decoded(await asker.post(asked))["data"]["data"]
    days = [row["date__day"] for row in rows]
    assert (len(days), days[0], days[-1]) == (7, "2024-10-04", "2024-09-28")


async def test_leaders(tmp_path: Path) -> None:
    """Who of one key leads is asked of the ledger itself, and as exact."""
    rows = await lines(
        tmp_path,
        metrics=["total_usage"],
        dimensions=["external_user"],
        filters=[{"field": "api_key_id", "operator": "eq", "value": "app"}],
        limit=1,
    )
    assert rows == [("user_1", 3.0)]


def test_long_filters() -> None:
    """A thousand times as many values take a row no longer to compare with."""
    rows = [
        ActivityRow(day=DAY, model="m", provider="p", user=f"user_{n}", counts=Counts(requests=1))
        for n in range(2000)
    ]

    def seconds(values: int) -> float:
        wanted: list[Value] = [f"user_{n}" for n in range(values)]
        named = AnalyticsFilter(field="external_user", operator="in", value=wanted)
        maker = TableMaker(AnalyticsQuery(metrics=["request_count"], filters=[named]))
        started = time.thread_time()
        maker.add(rows)
        return time.thread_time() - started

    few, many = (min(seconds(values) for _ in range(3)) for values in (20, 20_000))
    assert many < 50 * few


async def test_group_limit(tmp_path: Path) -> None:
    """Over time, each combination of dimensions has so many rows and no more."""
    asked = {"granularity": "day", "dimensions": ["model"], "group_limit": 1}
    assert await lines(tmp_path, **asked) == [
        ("2024-10-04", "large", 1),
        ("2024-10-04", "small", 4),
    ]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"metrics": []}, "$.metrics"),
        ({"metrics": ["byok_usage"]}, "byok_usage"),
        ({"dimensions": ["country"]}, "country"),
        ({"dimensions": ["model", "provider", "route"]}, "$.dimensions"),
        ({"filters": [{"field": "app", "operator": "eq", "value": "1"}]}, "app"),
        ({"filters": [{"field": "model", "operator": "like", "value": "1"}]}, "like"),
        ({"filters": [{"field": "model", "operator": "gt", "value": ["1"]}]}, "single"),
        ({"filters": [{"field": "request_count", "operator": "gt", "value": 1}]}, "request_count"),
        (
            {
                "filters": [
                    {"field": "api_key_id", "operator": "in", "value": [], "include_unset": True}
                ]
            },
            'Dimension "api_key_id" has no unset bucket',
        ),
        ({"filters": [{"field": "model", "operator": "in", "value": "m"}]}, "array"),
        ({"filters": [{"field": "model", "operator": "eq", "value": ["m"]}]}, "single"),
        (
            {
                "filters": [
                    {"field": "model", "operator": "eq", "value": "m", "include_unset": True}
                ]
            },
            "include_unset",
        ),
        ({"filters": [{"field": "model", "operator": "eq", "value": "m"}] * 21}, "$.filters"),
        (
            {"filters": [{"field": "model", "operator": "in", "value": ["m"] * 20_001}]},
            "$.filters[0].value",
        ),
        ({"granularity": "year"}, "$.granularity"),
        ({"granularity": "minute"}, "3 hours"),
        ({"granularity": "minute", "time_range": TODAY}, "3 hours"),
        ({"time_range": {"start": "2024-10-04T00:00Z", "end": TODAY["end"]}}, "time_range.start"),
        ({"time_range": {"start": TODAY["end"], "end": TODAY["start"]}}, "time_range.end"),
        ({"order_by": {"field": "total_usage", "direction": "asc"}}, "total_usage"),
        ({"order_by": {"field": "date", "direction": "asc"}}, "granularity"),
        ({"limit": 10_001}, "$.limit"),
        ({"limit": 0}, "$.limit"),
        ({"group_limit": 0}, "$.group_limit"),
        ({"classifier_filters": {}}, "classifier_filters"),
    ],
)
async def test_refused(tmp_path: Path, body: dict[str, Any], named: str) -> None:
    """What is unknown, over its limit or does not go together is a 400 that names it."""
    with pytest.raises(BadRequest) as refused:
        await ask(tmp_path, **body)
    assert named in refused.value.message


async def test_management_keys_only(tmp_path: Path) -> None:
    """Any other key is turned away in OpenRouter's words."""
    async with recording(tmp_path) as context:
        with pytest.raises(Forbidden, match="Only management keys can perform this operation"):
            await Asker(context, query_analytics, "analytics/query").post({}, "sk-app")
        with pytest.raises(Forbidden):
            await Asker(context, get_meta, "analytics/meta").answer(key="sk-app")


async def test_rate_limit(tmp_path: Path) -> None:
    """A key asks 64 times a minute, and is told when to come again."""
    async with recording(tmp_path) as context:
        asker = Asker(context, query_analytics, "analytics/query")
        answer = await asker.post({"metrics": ["request_count"]})
        for _ in range(ANALYTICS_QUERIES - 1):
            await asker.post({"metrics": ["request_count"]})
        with pytest.raises(TooManyRequests) as refused:
            await asker.post({"metrics": ["request_count"]})
    assert answer.headers[LAG_HEADER] == "0.000"
    assert refused.value.headers == {"Retry-After": "60"}


async def test_meta(tmp_path: Path) -> None:
    """All that can be asked for, and nothing else, each with its form."""
    async with recording(tmp_path) as context:
        meta = (await Asker(context, get_meta, "analytics/meta").json())["data"]
    assert [each["name"] for each in meta["metrics"]] == list(METRICS)
    assert [each["name"] for each in meta["dimensions"]] == list(DIMENSIONS)
    assert meta["operators"] == [
        {"name": "eq", "value_type": "scalar"},
        {"name": "neq", "value_type": "scalar"},
        {"name": "in", "value_type": "array"},
        {"name": "not_in", "value_type": "array"},
        {"name": "gt", "value_type": "scalar"},
        {"name": "gte", "value_type": "scalar"},
        {"name": "lt", "value_type": "scalar"},
        {"name": "lte", "value_type": "scalar"},
    ]
    assert [each["name"] for each in meta["granularities"]] == [
        *("minute", "hour", "day", "week", "month")
    ]
    assert meta["metrics"][0] == {
        "name": "request_count",
        "display_label": "Request Count",
        "is_rate": False,
        "display_format": "number",
    }
