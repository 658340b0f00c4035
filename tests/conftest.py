"""Fixtures that many tests share."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping
from pathlib import Path

import aiohttp
import pytest
import uvloop
from coverage import Coverage
from hypothesis import HealthCheck, settings
from playwright.async_api import Page

from bench.redis_server import Server
from gateway.ledger.store import Store
from tests.parts.browsing import open_window, sign_in
from tests.parts.client_world import ClientWorld, client_world
from tests.parts.clock import Clock
from tests.parts.gateways import RunningGateway, Wire
from tests.parts.redis_servers import DURABLE
from tests.parts.seeded import KEYS, seeded_gateway
from tests.parts.stores import EACH, filled, shared
from tests.parts.visitor import BROWSER

# How long an example takes is the machine's business; how long a test may take is the runner's.
# The same examples in every run: none fails by the luck of the draw, nor for who changed nothing.
settings.register_profile(
    "any machine",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("any machine")


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tests run on the loop that the gateway runs on."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Coverage looks away from heavy tests, and from the processes that they start."""
    measuring = Coverage.current()
    if measuring is None or item.get_closest_marker("heavy") is None:
        return (yield)
    measuring.stop()
    config = os.environ.pop("COVERAGE_PROCESS_CONFIG", None)
    try:
        return (yield)
    finally:
        if config is not None:
            os.environ["COVERAGE_PROCESS_CONFIG"] = config
        measuring.start()


@pytest.fixture(params=["fast", "aiohttp"])
def wire(request: pytest.FixtureRequest) -> Wire:
    """Both edges, one after the other: what holds, holds on each."""
    edge: Wire = request.param
    return edge


@pytest.fixture
def clock() -> Clock:
    """One for all that the test makes."""
    return Clock()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A client that knows nothing of the gateway."""
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[RunningGateway]:
    """A gateway with keys, and two months of calls."""
    async with seeded_gateway(tmp_path, keys=list(KEYS)) as running:
        yield running


@pytest.fixture
async def world(tmp_path: Path, wire: Wire) -> AsyncIterator[ClientWorld]:
    """What clients of other people's making are let loose on."""
    async with client_world(tmp_path, wire) as world:
        yield world


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    """Keeps cookies, also of an address that is no name."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(headers=BROWSER, cookie_jar=jar) as session:
        yield session


@pytest.fixture
async def window(gateway: RunningGateway) -> AsyncIterator[Page]:
    """A tab where a management key is signed in."""
    async with open_window(gateway.origin) as page:
        await sign_in(page)
        yield page


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A Redis of the test's own, to be harmed; killed and started, it has what it said it has."""
    running = Server(tmp_path / "redis", *DURABLE)
    yield running
    running.kill()


@pytest.fixture(params=EACH)
async def crowded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Store]:
    """One kind of store after the other, with the test module's CROWD in it; not to be changed."""
    async with shared(request.param, tmp_path_factory.getbasetemp(), request.module.CROWD) as store:
        yield store


@pytest.fixture(params=EACH)
async def own_crowded(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """The same of the test's own, to change as it likes."""
    async with filled(request.param, tmp_path, request.module.CROWD) as store:
        yield store
