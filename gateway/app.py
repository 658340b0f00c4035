"""The composition root: which parts there are, and which path leads to which.

`Gateway` builds every part from a configuration and owns its life; `create_app` puts aiohttp in
front of it. Nobody imports this file but the server.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from functools import lru_cache
from pathlib import Path

from aiohttp import web

from gateway.api.answers import json_answer
from gateway.api.context import Context, Handler
from gateway.api.models import get_model, list_models
from gateway.api.openrouter.activity import get_activity
from gateway.api.openrouter.generations import get_generation, list_generations
from gateway.api.route import get_route
from gateway.config import Config
from gateway.dashboard.frame import DASHBOARD, Dashboard
from gateway.dashboard.pages import add_pages
from gateway.dashboard.session import load_secret
from gateway.endpoint import Target, parse_target
from gateway.errors import Envelope, GatewayError, MethodNotAllowed, NotFound
from gateway.keys import Keyring
from gateway.ledger.ledger import Ledger
from gateway.proxy import Proxy
from gateway.request import Request
from gateway.routing.pool import Router
from gateway.routing.prober import Prober
from gateway.wire.aiohttp_edge import (
    AiohttpDownstream,
    request_head,
    take_back_defaults,
    with_body,
)
from gateway.wire.upstream import Upstream, verifying_context

API: Mapping[str, Handler] = {
    "models": list_models,
    "generation": get_generation,
    "generations": list_generations,
    "activity": get_activity,
    "route": get_route,
}
"""Answered by Hearth itself, below `/v1/` and `/api/v1/`."""

PAGES = ("generation", "generations", "activity")
"""Also answered at the root, where a browser looks for them."""

_SHIPPING = 5.0
"""Seconds that shutting down waits for the store; what is not shipped stays in the journal."""


class Gateway:
    """All parts of one running process."""

    def __init__(self, config: Config, ledger: Ledger) -> None:
        keyring = Keyring(config)
        self.router = router = Router(config)
        self.config = config
        self.draining = False
        self.ledger = ledger
        self.upstreams = _upstreams(config)
        self.proxy = Proxy(config, keyring, router, self.upstreams, ledger.record)
        self.context = Context(config, keyring, ledger, time.time, router)
        self._calls: set[asyncio.Task[object]] = set()

    def began(self, call: asyncio.Task[object] | None) -> None:
        """A call that aiohttp serves, to be waited for by `drain`."""
        if call is not None:
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)

    async def drain(self, seconds: float) -> None:
        """Let the calls that aiohttp serves finish, and cancel those that take longer."""
        if self._calls:
            _, late = await asyncio.wait(self._calls, timeout=seconds)
            for call in late:
                call.cancel()

    async def close(self) -> None:
        """Let go of the providers' connections, then ship what is in the journal."""
        await asyncio.gather(*(upstream.close() for upstream in self.upstreams.values()))
        await self.ledger.stop(_SHIPPING)


CONFIG = web.AppKey("config", Config)
GATEWAY = web.AppKey("gateway", Gateway)


def create_app(config: Config) -> web.Application:
    """The aiohttp application of a gateway with `config`.

    Starting it raises StoreUnavailable or JournalError when the ledger cannot work.
    """
    app = web.Application()
    app[CONFIG] = config
    app.cleanup_ctx.append(_run_gateway)
    app.on_response_prepare.append(take_back_defaults)
    app.router.add_get("/healthz", _healthz)
    app.router.add_get("/readyz", _readyz)
    add_pages(app, api=_serve)
    app.router.add_route("*", "/{path:(?s:.*)}", _serve)
    return app


async def _run_gateway(app: web.Application) -> AsyncIterator[None]:
    ledger = await Ledger.open(app[CONFIG].ledger)
    ledger.start()
    gateway = app[GATEWAY] = Gateway(app[CONFIG], ledger)
    secret = await asyncio.to_thread(load_secret, Path(app[CONFIG].ledger.journal))
    app[DASHBOARD] = Dashboard(gateway.context, gateway.router, secret)
    async with Prober(gateway.router.providers.values()):
        yield
    await app[GATEWAY].close()


def _upstreams(config: Config) -> dict[str, Upstream]:
    """A client for each provider; those with TLS share one context, which is slow to make."""
    tls = any(provider.base_url.startswith("https:") for provider in config.providers)
    context = verifying_context() if tls else None
    return {p.name: Upstream(p.base_url, p.timeouts, context) for p in config.providers}


async def _healthz(request: web.Request) -> web.Response:
    """The process runs and its loop turns."""
    return json_answer({"status": "ok"})


async def _readyz(request: web.Request) -> web.Response:
    """New requests are welcome."""
    if request.app[GATEWAY].draining:
        return json_answer({"status": "draining"}, status=503)
    return json_answer({"status": "ready"})


async def _serve(request: web.Request) -> web.StreamResponse:
    """Everything else: the API and the data path, in whatever spelling the path comes."""
    gateway = request.app[GATEWAY]
    head = request_head(request)
    try:
        target = _target(head.target)
    except GatewayError as error:
        return _error_answer(error, Envelope.OPENAI)
    handler = _handler(head.method, target)
    if handler is None:
        return await _proxied(gateway, request, head, target)
    try:
        return await handler(gateway.context, head, target)
    except GatewayError as error:
        return _error_answer(error, Envelope.OPENROUTER)


def _target(raw: str) -> Target:
    name = raw.partition("?")[0].strip("/").lower()
    target = parse_target(f"/api/v1/{raw.lstrip('/')}" if name in PAGES else raw)
    if target is None:
        raise NotFound(f"There is nothing at {raw.partition('?')[0]}; the API is below /v1/")
    return target


@lru_cache(maxsize=1024)
def hot_target(raw: str) -> Target | None:
    """The target of a POST that goes to a provider; None where aiohttp has to look at it."""
    try:
        target = _target(raw)
    except GatewayError:
        return None
    return target if _handler("POST", target) is None else None


def _handler(method: str, target: Target) -> Handler | None:
    """The API's handler of a target; None leaves it to a provider."""
    path = target.endpoint.path.lower().strip("/")
    if method in ("GET", "HEAD"):
        return API.get(path) or (get_model if path.startswith("models/") else None)
    return _wrong_method if path in API else None


async def _wrong_method(context: Context, request: Request, target: Target) -> web.Response:
    raise MethodNotAllowed(f"{request.method} is not allowed here", allow="GET, HEAD")


async def _proxied(
    gateway: Gateway, request: web.Request, head: Request, target: Target
) -> web.StreamResponse:
    """Run the proxy and, beside it, send what it writes; whichever fails ends the other."""
    client = AiohttpDownstream(request)
    gateway.began(asyncio.current_task())
    try:
        complete = await with_body(head, request, gateway.config.server.max_body)
    except GatewayError as error:
        gateway.proxy.refuse(head, target, error, client)
        return await client.send()
    try:
        async with asyncio.TaskGroup() as both:
            sending = both.create_task(client.send())
            await gateway.proxy.handle(complete, target, client)
    except* ConnectionError as gone:
        raise gone.exceptions[0] from None
    return sending.result()


def _error_answer(error: GatewayError, envelope: Envelope) -> web.Response:
    return web.Response(
        body=error.body(envelope),
        status=error.status,
        headers=dict(error.headers),
        content_type="application/json",
    )
