"""All that a scenario runs on: a Redis behind a proxy, a provider, gateways, and their clients."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random

import msgspec

from bench.faults.load import Load
from bench.faults.lossy_proxy import Proxy, proxy
from bench.faults.truth import Balance, compare
from bench.gateway import Gateway
from bench.ports import HOST
from bench.redis_server import Server
from gateway.config import Retention
from gateway.ledger.redis import RedisStore
from gateway.ledger.shipper import Shipper
from gateway.mock.running import running_provider
from gateway.mock.settings import MockSettings
from gateway.units import Duration

_ANSWER_AFTER = Duration(0.005)


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """How large a stand is; `seconds` is how long its load lasts, `rate` calls a second."""

    gateways: int
    workers: int
    clients: int
    rate: float
    seconds: float
    seed: int


class Stand(msgspec.Struct, frozen=True, kw_only=True):
    """The parts, all at work. `chance` decides on moments and victims."""

    redis: Server
    proxy: Proxy
    gateways: list[Gateway]
    load: Load
    chance: Random
    seconds: float

    async def balance(self) -> Balance:
        """End the load and the gateways, ship what is left as their next start would, compare."""
        await self.load.stop()
        for gateway in self.gateways:
            await gateway.stop()
        store = RedisStore.at(self.redis.url, Retention())
        try:
            for gateway in self.gateways:
                await Shipper(gateway.journal, store).flush()
            return await compare(self.load.answered, store)
        finally:
            await store.close()


@asynccontextmanager
async def running_stand(folder: Path, setting: Setting) -> AsyncIterator[Stand]:
    """A new stand, its load running; what it started is ended, however the context is left."""
    async with AsyncExitStack() as stack:
        redis = await asyncio.to_thread(
            Server, folder / "redis", "appendonly yes", "appendfsync always"
        )
        stack.callback(redis.kill)
        passing = await stack.enter_async_context(proxy(redis.port))
        mock = MockSettings(latency=_ANSWER_AFTER, remember=1)
        provider = await stack.enter_async_context(running_provider(mock))
        store = f"redis://{HOST}:{passing.port}"
        gateways = [
            Gateway(folder / f"gateway-{number}", store, provider.url, setting.workers)
            for number in range(setting.gateways)
        ]
        for gateway in gateways:
            stack.callback(gateway.end)
            await gateway.start()
        origins = [gateway.origin for gateway in gateways]
        load = Load(origins, setting.clients, setting.rate, setting.seed)
        load.start()
        yield Stand(
            redis=redis,
            proxy=passing,
            gateways=gateways,
            load=load,
            chance=Random(setting.seed),
            seconds=setting.seconds,
        )
