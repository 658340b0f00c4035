"""The description holds: what it says of requests and answers is so, on a running gateway."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, assume, settings
from schemathesis.checks import CheckFunction
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from gateway.api.openapi.document import document
from gateway.api.openapi.proxied import ProxiedCall
from gateway.calls.body import Body
from gateway.calls.endpoint import ENDPOINTS
from gateway.mock.running import running_provider
from gateway.mock.settings import MockSettings
from tests.parts.gateways import running_gateway
from tests.parts.seeded import KEYS, history, seed

pytestmark = pytest.mark.heavy

DESCRIPTION = json.loads(document())
CONFIG = schemathesis.Config.from_dict(
    {
        "phases": {"coverage": {"enabled": False}},
        "generation": {
            "deterministic": True,
            "database": "none",
            "with-security-parameters": False,
        },
    }
)
SCHEMA = schemathesis.openapi.from_dict(DESCRIPTION, config=CONFIG)
BOUNDS = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
PROXIED = f"^/(api/)?v1/({'|'.join(ENDPOINTS)})$"
LAX: list[CheckFunction] = [positive_data_acceptance]
"""No schema can say that a time ends after it begins, or that a model is served."""


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A gateway with a history, on a loop of its own: its client here is a blocking one."""
    folder, started, done = tmp_path_factory.mktemp("openapi"), threading.Event(), asyncio.Event()
    origins: list[str] = []
    loop = asyncio.new_event_loop()

    async def run(folder: Path) -> None:
        await seed(folder, history())
        async with running_provider(MockSettings()) as provider:
            upstream = {"name": "oak", "base_url": provider.url}
            async with running_gateway(folder, [upstream], keys=[*KEYS]) as gateway:
                origins.append(gateway.origin)
                started.set()
                await done.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(folder),))
    thread.start()
    assert started.wait(120)
    yield origins[0]
    loop.call_soon_threadsafe(done.set)
    thread.join()
    loop.close()


def verify(case: schemathesis.Case[Any], origin: str, key: str, lax: list[CheckFunction]) -> None:
    """Send it, and compare the answer with what is described."""
    headers = {"Authorization": f"Bearer {key}"}
    case.call_and_validate(base_url=origin, headers=headers, excluded_checks=lax)


@pytest.mark.parametrize("key", ["ops-key", "shop-key"])
@SCHEMA.exclude(path_regex=PROXIED).parametrize()
@BOUNDS
def test_own(case: schemathesis.Case[Any], origin: str, key: str) -> None:
    """Right or wrong, a request gets a status, a type and a body of those described; never a 500.

    A management key and a client key, each where it may look and where it may not.
    """
    is_another = case.formatted_path != case.path and case.formatted_path in DESCRIPTION["paths"]
    assume(not is_another)  # it comes before one with a parameter: OpenAPI 3.1, Paths Object
    verify(case, origin, key, LAX)


@pytest.mark.parametrize("key", ["ops-key", "shop-key"])
@SCHEMA.include(path_regex=PROXIED).parametrize()
@BOUNDS
def test_proxied(case: schemathesis.Case[Any], origin: str, key: str) -> None:
    """The same of what is forwarded; there, what is wrong is for the provider to say."""
    verify(case, origin, key, [*LAX, negative_data_rejection])


def test_proxied_fields() -> None:
    """The fields of a forwarded body that are described are those that are read."""
    assert set(ProxiedCall.__struct_fields__) == set(Body.__struct_fields__)
