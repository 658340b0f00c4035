"""Active probes: asks each provider that has `health` configured how it is, every `interval`.

Any answer below 500 is a sign of life, a missing page and a full house included; only 401, 402 and
403 are none where the provider has an `api_key`, as that key is then refused. Calls are judged
apart: one good probe ends what bad probes began, and never an ejection.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Self

import aiohttp

from gateway.calls.credentials import credential
from gateway.config import Health
from gateway.config import Provider as Settings
from gateway.routing.provider import Provider

_REFUSED = frozenset((401, 402, 403))


OnProbed = Callable[[Provider, bool, float], None]
"""Told of a probe's end: whose it was, whether it was good, and when (monotonic seconds)."""


def record_probe(provider: Provider, good: bool, now: float) -> None:
    """Tell the provider's own health, as a gateway of one process does."""
    provider.health.probed(good, now)


class Prober:
    """Probes while its context is open, one task a provider."""

    def __init__(self, providers: Iterable[Provider], on_probed: OnProbed = record_probe) -> None:
        self._probed = [(p, p.settings.health) for p in providers if p.settings.health is not None]
        self._on_probed = on_probed
        self._tasks: list[asyncio.Task[None]] = []
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        if self._probed:
            session = self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
            self._tasks = [
                asyncio.create_task(self._keep_probing(session, provider, health))
                for provider, health in self._probed
            ]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _keep_probing(
        self, session: aiohttp.ClientSession, provider: Provider, health: Health
    ) -> None:
        """The interval runs from start to start, so that a slow provider is asked no less often."""
        while True:
            started = time.monotonic()
            good = await probe(session, provider.settings, health)
            now = time.monotonic()
            self._on_probed(provider, good, now)
            await asyncio.sleep(max(0.0, started + health.interval - now))


async def probe(session: aiohttp.ClientSession, settings: Settings, health: Health) -> bool:
    """Whether the provider shows signs of life before its next probe is due."""
    limit = aiohttp.ClientTimeout(total=min(health.interval, settings.timeouts.first_byte))
    url = settings.base_url.rstrip("/") + health.path
    try:
        async with session.get(
            url, headers=_headers(settings, health.path), timeout=limit, allow_redirects=False
        ) as answer:
            return answer.status < 500 and not _is_refused(answer.status, settings)
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False


def _is_refused(status: int, settings: Settings) -> bool:
    return settings.api_key is not None and status in _REFUSED


def _headers(settings: Settings, path: str) -> Mapping[str, str]:
    """The configured headers, and the key in the fields of the API that they and `path` tell."""
    others = {name.lower().encode() for name in settings.headers}
    return {**credential(settings.api_key, path.lstrip("/"), others), **settings.headers}
