"""The aiohttp application: which path leads to which part of the gateway.

Only what starts a gateway imports this file.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import lru_cache, partial
from pathlib import Path

from aiohttp import web

from gateway.api.answers import error_answer, json_answer
from gateway.api.openapi.document import document
from gateway.api.routes import AT_ROOT, Route, find_route
from gateway.assembly import Gateway, Lifespan, standalone
from gateway.calls.endpoint import Target, envelope_at, parse_target, unmetered
from gateway.calls.request import Request
from gateway.config import Config
from gateway.dashboard.access.session import load_secret
from gateway.dashboard.frame import DASHBOARD, Dashboard, show_error, wants_page
from gateway.dashboard.pages import add_pages
from gateway.envelope import Envelope
from gateway.errors import GatewayError, MethodNotAllowed, NotFound
from gateway.metrics.exposition import expose
from gateway.metrics.snapshot import merged
from gateway.wire.aiohttp_edge import (
    AiohttpDownstream,
    drop_aiohttp_defaults,
    with_body,
    without_body,
)
from gateway.wire.limits import LIMITS, Limits

_SAFE = ("GET", "HEAD", "OPTIONS")
"""Methods that change nothing, RFC 9110 section 9.2.1."""

GATEWAY = web.AppKey("gateway", Gateway)
_LIMITS = web.AppKey("limits", Limits)
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_log = logging.getLogger(__name__)


def create_app(
    config: Config, limits: Limits = LIMITS, lifespan: Lifespan = standalone
) -> web.Application:
    """The aiohttp application of a gateway with `config`; `limits` are for slow uploads.

    Starting it raises StoreUnavailable or JournalError when the ledger cannot work.
    """
    app = web.Application(middlewares=[_follow, _explain])
    app[_LIMITS] = limits
    app.cleanup_ctx.append(partial(_run_gateway, config, lifespan))
    app.on_response_prepare.append(drop_aiohttp_defaults)
    app.on_response_prepare.append(_close_while_draining)
    app.router.add_get("/healthz", _healthz)
    app.router.add_get("/readyz", _readyz)
    app.router.add_get("/metrics", _metrics)
    app.router.add_get("/openapi.json", _openapi)
    add_pages(app, api=_serve)
    app.router.add_route("*", "/{path:(?s:.*)}", _serve)
    return app


async def _run_gateway(
    config: Config, lifespan: Lifespan, app: web.Application
) -> AsyncIterator[None]:
    async with lifespan(config) as gateway:
        app[GATEWAY] = gateway
        secret = await asyncio.to_thread(load_secret, Path(config.ledger.journal))
        app[DASHBOARD] = Dashboard(gateway.context, secret, app[_LIMITS])
        yield


@web.middleware
async def _follow(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Have the end wait for the answer."""
    request.app[GATEWAY].began(asyncio.current_task())
    return await handler(request)


@web.middleware
async def _explain(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Log an error that nobody expected, and answer it in a form that the client reads.

    Once an answer has begun, aiohttp logs the error and ends the connection instead.
    """
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except ConnectionError:
        if request.transport is not None and not request.transport.is_closing():
            raise
        return web.Response()  # nobody gets it, and aiohttp would log the error as a defect
    except Exception:
        if request.writer.output_size:
            raise
        _log.exception("%s %s failed", request.method, request.rel_url.raw_path)
        error = GatewayError("Hearth failed to answer this; its log says why")
        if wants_page(request):
            return show_error(request, error)
        return error_answer(error, envelope_at(request.raw_path))


async def _close_while_draining(request: web.Request, response: web.StreamResponse) -> None:
    """While draining, every answer is the last one on its connection."""
    if request.app[GATEWAY].draining:
        response.force_close()
        # aiohttp has made the fields by now.
        response.headers["Connection"] = "close"


async def _healthz(request: web.Request) -> web.Response:
    """The process runs and its loop turns."""
    return json_answer({"status": "ok"})


async def _readyz(request: web.Request) -> web.Response:
    """Whether new requests are welcome; they are even while others take this process's place."""
    gateway = request.app[GATEWAY]
    if gateway.draining and gateway.retired_until is None:
        return json_answer({"status": "draining"}, status=503)
    return json_answer({"status": "ready"})


async def _openapi(request: web.Request) -> web.Response:
    """The description of all this, for anyone."""
    return web.Response(body=document(), content_type="application/json")


async def _metrics(request: web.Request) -> web.Response:
    """The counts of all processes, for a management key, or for anyone where `metrics.public`."""
    gateway = request.app[GATEWAY]
    try:
        if not gateway.config.metrics.public:
            gateway.context.keyring.manager(without_body(request))
    except GatewayError as error:
        return error_answer(error, Envelope.OPENAI)
    snapshots = await gateway.peers.snapshots()
    if not snapshots:  # a failed scrape is a gap, zeros would be a restart
        return web.Response(status=503, text="The supervisor does not answer\n")
    counts = merged(snapshots)
    lag = await gateway.ledger.lag()
    accept = request.headers.get("Accept", "")
    body, content_type = await asyncio.to_thread(expose, counts, lag, accept)
    return web.Response(body=body, headers={"Content-Type": content_type})


async def _serve(request: web.Request) -> web.StreamResponse:
    """Everything else: the API and the data path, in whatever spelling the path comes."""
    gateway = request.app[GATEWAY]
    received = without_body(request)
    try:
        target = _target(received.head.target)
    except GatewayError as error:
        if wants_page(request):
            return show_error(request, error)
        return error_answer(error, envelope_at(received.head.target))
    route = find_route(received.head.method, target)
    if route is None:
        if received.head.method in _SAFE:
            target = unmetered(target)
        return await _proxied(gateway, request, received, target)
    try:
        return await _answered(gateway, request, received, target, route)
    except GatewayError as error:
        return error_answer(error, route.envelope or target.envelope)


async def _answered(
    gateway: Gateway, request: web.Request, received: Request, target: Target, route: Route
) -> web.Response:
    """By Hearth itself."""
    if received.head.method not in route.methods:
        allow = ", ".join(route.methods)
        raise MethodNotAllowed(f"{received.head.method} is not allowed here", allow=allow)
    if route.method == "POST":
        received = await _with_body(gateway, request, received)
    return await route.handler(gateway.context, received, target)


def _target(raw: str) -> Target:
    name = raw.partition("?")[0].strip("/").lower()
    target = parse_target(f"/api/v1/{raw.lstrip('/')}" if name in AT_ROOT else raw)
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
    return target if find_route("POST", target) is None else None


async def _proxied(
    gateway: Gateway, request: web.Request, received: Request, target: Target
) -> web.StreamResponse:
    """Run the proxy and, beside it, send what it writes; whichever fails ends the other."""
    client = AiohttpDownstream(request, gateway.ledger.recorder.commit)
    try:
        complete = await _with_body(gateway, request, received)
    except GatewayError as error:
        gateway.proxy.refuse(received, target, error, client)
        return await client.send()
    try:
        async with asyncio.TaskGroup() as both:
            sending = both.create_task(client.send())
            await gateway.handle(complete, target, client)
    except ExceptionGroup as failures:  # what `except*` raises, Python 3.11.2 puts into a group
        gone = failures.subgroup(ConnectionError)
        raise failures if gone is None else gone.exceptions[0] from None
    return sending.result()


async def _with_body(gateway: Gateway, request: web.Request, received: Request) -> Request:
    """`received` with its body. One that is not all here yet is waited for, and given memory, only
    if its sender is known: else Unauthorized."""
    if not request.content.is_eof():
        gateway.context.keyring.tenant(received)
    limits = request.app[_LIMITS]
    return await with_body(received, request, gateway.config.server.max_body, limits)
