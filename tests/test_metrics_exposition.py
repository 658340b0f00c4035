"""`/metrics` as a scraper reads it, and who may."""

import json
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from prometheus_client.openmetrics import parser as openmetrics

from gateway.config import Metrics, Provider
from gateway.ledger.shipper import Lag
from gateway.metrics.counters import Counters
from gateway.metrics.exposition import expose
from gateway.metrics.resources import Resources
from gateway.metrics.snapshot import ProviderState, Snapshot
from tests.parts.asking import KEYS
from tests.parts.calls import CHAT
from tests.parts.gateways import Wire, running_gateway
from tests.parts.generations import generation, refusal
from tests.parts.http_world import world
from tests.parts.metrics import samples, scraped
from tests.parts.raw_client import post

DEPLOY = Path(__file__).parent.parent / "deploy"
NOWHERE = {"name": "a", "base_url": "http://127.0.0.1:1"}
LAG = Lag(waiting=12, oldest=1.5, corrupt=0, error=None)
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def full_snapshot() -> Snapshot:
    """One in which every metric has a sample."""
    provider = Provider(name="a", base_url="https://a.example", models=("small",))
    counters = Counters(Metrics(users=5), (provider,))
    counters.add(generation(1, user='"<\n', latency_ms=30, first_byte_ms=20, cost=1_500_000_000))
    counters.add(refusal(2))
    counters.add_check("failed")
    counts = counters.snapshot()
    state = ProviderState(name="a", in_flight=2, max_in_flight=512, is_out=True)
    return Snapshot(
        calls=counts.calls,
        users=counts.users,
        attempts={"a": {"2xx": 1}},
        flags=counts.flags,
        checks=counts.checks,
        lost=1,
        store_failures=2,
        is_config_refused=True,
        ejections={"a": 3},
        providers=[state],
        resources={"worker": Resources(1.5, 4096, 7, 1024), "supervisor": Resources(0.25)},
    )


def exposed(accept: str = "") -> tuple[str, str]:
    body, content_type = expose(full_snapshot(), LAG, accept)
    return body.decode(), content_type


def test_text_format() -> None:
    """The default is Prometheus' text format, in base units, its histograms cumulative."""
    text, content_type = exposed()
    assert content_type.startswith("text/plain; version=0.0.4")
    found = samples(text)
    model = [("provider", "a"), ("model", "small")]
    labels = frozenset([*model, ("route", ""), ("outcome", "ok"), ("status", "2xx")])
    assert found["hearth_requests_total", labels] == 1
    assert found["hearth_cost_usd_total", frozenset([*model, ("route", "")])] == 1.5
    assert found["hearth_request_duration_seconds_sum", frozenset(model)] == 0.03
    for bound, count in (("0.02", 0), ("0.04", 1), ("81.92", 1), ("+Inf", 1)):
        key = frozenset([*model, ("le", bound)])
        assert found["hearth_request_duration_seconds_bucket", key] == count
    assert found["hearth_provider_up", frozenset([("provider", "a")])] == 0
    assert found["hearth_ledger_lag_seconds", frozenset()] == 1.5
    assert found["hearth_config_last_reload_successful", frozenset()] == 0
    assert found["hearth_user_requests_total", frozenset([("key", "app"), ("user", '"<\n')])] == 1


def test_openmetrics() -> None:
    """A scraper that asks for OpenMetrics gets what its strict parser takes."""
    text, content_type = exposed(OPENMETRICS)
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    families = openmetrics.text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
    names = {family.name for family in families}
    assert {"hearth_requests", "hearth_first_byte_seconds", "hearth_build"} <= names
    assert text.endswith("# EOF\n")


def names_in(expression: str) -> set[str]:
    return set(re.findall(r"\bhearth_[a-z_]+", expression))


def expressions(node: Any) -> set[str]:
    """Every `expr` and `query` in a tree of JSON or YAML."""
    if isinstance(node, dict):
        own = {
            v
            for k, v in node.items()
            if k in ("expr", "query", "definition") and isinstance(v, str)
        }
        return own.union(*map(expressions, node.values()))
    return set[str]().union(*map(expressions, node)) if isinstance(node, list) else set()


@pytest.mark.parametrize("name", ["grafana.json", "alerts.yml"])
def test_deployed_files_name_what_there_is(name: str) -> None:
    """Dashboard and alerts ask for metrics that are exposed; the dashboard for every one."""
    text = (DEPLOY / name).read_text()
    tree = json.loads(text) if name.endswith("json") else yaml.safe_load(text)
    asked = set().union(*map(names_in, expressions(tree)))
    there = {sample_name for sample_name, _ in samples(exposed()[0])}
    assert asked
    assert asked <= there
    if name == "grafana.json":
        shown = {re.sub("_(bucket|sum|count)$", "", each) for each in asked}
        assert {re.sub("_(bucket|sum|count)$", "", each) for each in there} == shown


def test_prometheus_example_loads_the_alerts() -> None:
    """The scrape example is YAML that names the alert rules beside it, and the right path; one rule
    tells that its job cannot be scraped."""
    example = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())
    assert all((DEPLOY / file).is_file() for file in example["rule_files"])
    [job] = example["scrape_configs"]
    assert job["metrics_path"] == "/metrics"
    alerts = yaml.safe_load((DEPLOY / "alerts.yml").read_text())
    assert f'up{{job="{job["job_name"]}"}} == 0' in expressions(alerts)


async def status(origin: str, key: str = "", accept: str = "") -> int:
    """What a scraper with this key is answered."""
    headers = {"Accept": accept} | ({"Authorization": f"Bearer {key}"} if key else {})
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(f"{origin}/metrics") as answer,
    ):
        return answer.status


async def test_counts_over_http(tmp_path: Path, wire: Wire) -> None:
    """Calls on either edge are counted by the time that their answer has come."""
    async with world(tmp_path, wire) as here:
        for _ in range(3):
            assert (await here.client.ask(post(CHAT))).status == 200
        found = await scraped(here.gateway.origin)
    model = [("provider", "a"), ("model", "gpt-4o-mini")]
    labels = frozenset([*model, ("route", "home"), ("outcome", "ok"), ("status", "2xx")])
    assert found["hearth_requests_total", labels] == 3
    way = [*model, ("route", "home")]
    assert found["hearth_tokens_total", frozenset([*way, ("type", "prompt")])] == 21
    assert found["hearth_moves_total", frozenset(way)] == 0
    assert found["hearth_attempts_total", frozenset([("provider", "a"), ("result", "2xx")])] == 3
    assert found["hearth_store_up", frozenset()] == 1
    assert not [name for name, _ in found if name.startswith("hearth_user")]


async def test_keys(tmp_path: Path) -> None:
    """With keys, a management key reads the metrics; another one, and nobody, does not."""
    async with running_gateway(tmp_path, [NOWHERE], keys=KEYS) as gateway:
        assert await status(gateway.origin) == 401
        assert await status(gateway.origin, "sk-app") == 403
        assert await status(gateway.origin, "sk-ops", OPENMETRICS) == 200


async def test_public(tmp_path: Path) -> None:
    """`metrics.public` lets scrapers in that have no key."""
    public = {"public": True}
    async with running_gateway(tmp_path, [NOWHERE], keys=KEYS, metrics=public) as gateway:
        assert await status(gateway.origin) == 200


@pytest.mark.parametrize("version", ["abc", "1.x", "", "1.0.0;escaping=what"])
def test_scrapers_that_ask_for_what_there_is_not(version: str) -> None:
    """Get one of the formats that there are."""
    accept = f"application/openmetrics-text; version={version}"
    body, content_type = expose(Snapshot(), LAG, accept)
    assert body
    assert content_type.startswith(("text/plain", "application/openmetrics-text"))
