"""Fixtures that many tests share."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Literal

import aiohttp
import pytest
import uvloop
from hypothesis import settings

Wire = Literal["fast", "aiohttp"]

# How long an example takes is the machine's business; how long a test may take is the runner's.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tests run on the loop that the gateway runs on."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(params=["fast", "aiohttp"])
def wire(request: pytest.FixtureRequest) -> Wire:
    """Both edges, one after the other: what holds, holds on each."""
    edge: Wire = request.param
    return edge


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A client that knows nothing of the gateway."""
    async with aiohttp.ClientSession() as session:
        yield session
