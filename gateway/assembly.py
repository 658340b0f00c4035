"""The composition root: every part of a gateway, built from a configuration, and its life."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import msgspec

from gateway.api.context import Context
from gateway.config import Config
from gateway.keys import Keyring
from gateway.ledger.ledger import Ledger
from gateway.metrics.counters import Counters
from gateway.metrics.peers import Peers, SingleProcess
from gateway.metrics.resources import own_resources
from gateway.metrics.snapshot import Snapshot, provider_states
from gateway.policies.moderation import Moderator
from gateway.pricing.prices import Prices
from gateway.proxy.proxy import Proxy
from gateway.routing.prober import Prober
from gateway.routing.router import Router
from gateway.wire.upstream import Upstream, verifying_context

if TYPE_CHECKING:
    from gateway.tracing.tracing import Tracing

_FINISH_WITHIN = 5.0
"""Seconds that the end waits for the store; what is not shipped stays in the journal."""


class Gateway:
    """All parts of one running process.

    `peers`: the processes it is one of. `draining`: it takes no new connections. `retired_until`:
    set where others have taken its place: calls under way have all the time they need, until this
    event.
    """

    def __init__(self, config: Config, ledger: Ledger, peers: Peers | None = None) -> None:
        keyring = Keyring(config)
        self.router = router = Router(config)
        self.config = config
        self.draining = False
        self.retired_until: asyncio.Event | None = None
        self.ledger = ledger
        self._tracing = tracing = _tracing(config)
        self._upstreams = upstreams = _upstreams(config, tracing)
        self._counters = counters = Counters(config.metrics, config.providers)
        self._moderator = moderator = _moderator(config, counters)
        recorders = (ledger.recorder.record, counters.add)
        prices = Prices(config.providers)
        self.proxy = Proxy(config, keyring, router, prices, upstreams, recorders, moderator)
        handle = self.proxy.handle
        self.handle = handle if tracing is None else tracing.follow(handle)
        self.peers = SingleProcess(self.snapshot) if peers is None else peers
        self.context = Context(config, keyring, ledger, time.time, router, prices, self.peers)
        self._requests: set[asyncio.Task[object]] = set()

    def began(self, request: asyncio.Task[object] | None) -> None:
        """A request that aiohttp serves, to be waited for by `drain`."""
        if request is not None:
            self._requests.add(request)
            request.add_done_callback(self._requests.discard)

    async def drain(self, seconds: float) -> None:
        """Let the requests that aiohttp serves finish, and cancel those that take longer."""
        if self._requests:
            _, late = await asyncio.wait(self._requests, timeout=seconds)
            for request in late:
                request.cancel()

    def snapshot(self) -> Snapshot:
        """This process as it is now."""
        providers = self.router.providers
        states = provider_states(providers.values(), time.monotonic())
        return msgspec.structs.replace(
            self._counters.snapshot(),
            lost=self.ledger.recorder.lost,
            store_failures=self.ledger.failures,
            providers=[each.leaving() for each in states] if self.draining else states,
            ejections={name: each.health.ejected for name, each in providers.items()},
            resources={"worker": own_resources()},
            processes=int(not self.draining),
        )

    async def close(self) -> None:
        """Let go of the providers' connections, and send the last spans."""
        await asyncio.gather(*(upstream.close() for upstream in self._upstreams.values()))
        if self._moderator is not None:
            await self._moderator.close()
        if self._tracing is not None:
            await self._tracing.close()


Lifespan = Callable[[Config], AbstractAsyncContextManager[Gateway]]
"""Builds a gateway, and takes it down at the end."""


@asynccontextmanager
async def standalone(config: Config) -> AsyncIterator[Gateway]:
    """A gateway in one process, which ships its journal and probes the providers itself."""
    async with AsyncExitStack() as at_end:
        ledger = await Ledger.open(config.ledger)
        at_end.push_async_callback(ledger.finish, _FINISH_WITHIN)
        ledger.start()
        gateway = Gateway(config, ledger)
        at_end.push_async_callback(gateway.close)
        await at_end.enter_async_context(Prober(gateway.router.providers.values()))
        yield gateway


def _tracing(config: Config) -> "Tracing | None":
    """OpenTelemetry is only loaded where it is used: it is an extra, and takes its time."""
    if config.tracing is None:
        return None
    from gateway.tracing.tracing import Tracing

    return Tracing(config.tracing, config.providers)


def _upstreams(config: Config, tracing: "Tracing | None") -> dict[str, Upstream]:
    """A client for each provider; those with TLS share one context, which is slow to make."""
    tls = any(provider.base_url.startswith("https:") for provider in config.providers)
    context = verifying_context() if tls else None
    upstreams: dict[str, Upstream] = {}
    for each in config.providers:
        middleware = None if tracing is None else tracing.exchanges(each)
        upstreams[each.name] = Upstream(each.base_url, each.timeouts, context, middleware)
    return upstreams


def _moderator(config: Config, counters: Counters) -> Moderator | None:
    settings = config.policies.moderation
    if settings is None:
        return None
    provider = next(each for each in config.providers if each.name == settings.provider)
    return Moderator(settings, provider, counters.add_check)
