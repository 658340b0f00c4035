"""Starting a mock provider on a port, and stopping it."""

import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from aiohttp import web

from gateway.mock.faults import parse_faults
from gateway.mock.provider import FAULTS, SEEN, Clock, Seen, create_provider
from gateway.mock.settings import MockSettings

_HOST = "127.0.0.1"


class RunningProvider(msgspec.Struct, frozen=True):
    """A provider that listens. `origin` is `http://host:port`."""

    origin: str
    app: web.Application

    @property
    def url(self) -> str:
        """What goes into `base_url`."""
        return f"{self.origin}/v1"

    @property
    def seen(self) -> deque[Seen]:
        return self.app[SEEN]

    def fail(self, faults: str) -> None:
        """Misbehave from the next request on, as in `--fail`; an empty string recovers."""
        self.app[FAULTS].replace(parse_faults(faults))


@asynccontextmanager
async def running_provider(
    settings: MockSettings, *, port: int = 0, clock: Clock = time.time
) -> AsyncIterator[RunningProvider]:
    """A provider on `port`, by default a free one; leaving drops what it has not answered yet."""
    app = create_provider(settings, clock)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.05)
    await runner.setup()
    try:
        await web.TCPSite(runner, _HOST, port).start()
        bound_port = runner.addresses[0][1]
        yield RunningProvider(f"http://{_HOST}:{bound_port}", app)
    finally:
        await runner.cleanup()
