"""The two worlds the demo compares: same providers, same traffic, one with sticky routing.

Each world is a real gateway in front of three mock providers of its own, so that neither warms the
other's caches.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec

from gateway.config import (
    Config,
    Ledger,
    Model,
    ModelPrice,
    Provider,
    Server,
    Sticky,
)
from gateway.mock.running import RunningProvider, running_provider
from gateway.mock.settings import MockSettings
from gateway.server import running
from gateway.units import Duration

MODEL = "gpt-5-mini"
PRICE = ModelPrice(input=0.25, output=2.00, cached_input=0.025)
MODELS = (MODEL, "gpt-4o-mini", "openai/gpt-4o", "claude-haiku-4-5", "text-davinci-003")
"""The sample users' own, and those that documents and guides ask for."""
STICKY = Sticky()
SPREAD = Sticky(key=())
"""Without a key to stick to, calls go to the least loaded provider, in turns."""

PROVIDERS = ("birch", "maple", "oak")

MOCK = MockSettings(
    latency=Duration(0.02),
    latency_per_1k=Duration(0.05),
    cache_tokens=20_000,
)
"""A provider with room for about ten conversations; minimum and grain of the cache are OpenAI's."""


class World(msgspec.Struct, frozen=True):
    """A running gateway and its providers."""

    name: str
    origin: str
    providers: tuple[RunningProvider, ...]


@asynccontextmanager
async def running_world(name: str, folder: Path, port: int, sticky: Sticky) -> AsyncIterator[World]:
    """A gateway on `port`, its ledger in `folder`."""
    async with AsyncExitStack() as stack:
        mocks = [msgspec.structs.replace(MOCK, name=provider) for provider in PROVIDERS]
        providers = [await stack.enter_async_context(running_provider(mock)) for mock in mocks]
        config = Config(
            server=Server(port=port, drain=Duration(1)),
            providers=tuple(map(_settings, PROVIDERS, providers)),
            sticky=sticky,
            ledger=Ledger(url=f"sqlite:{folder / name}.db", journal=str(folder / name)),
        )
        origin = await stack.enter_async_context(running(config))
        yield World(name, origin, tuple(providers))


def _settings(name: str, provider: RunningProvider) -> Provider:
    models = tuple(Model(name=each) for each in MODELS)
    return Provider(name=name, base_url=provider.url, models=models, prices={MODEL: PRICE})
