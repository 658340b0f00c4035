"""What every API handler works with, and what one looks like."""

from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from gateway.api.quota import Quota
from gateway.calls.endpoint import Target
from gateway.calls.request import Request
from gateway.config import Config
from gateway.keys import Keyring, Tenant
from gateway.ledger.ledger import Ledger
from gateway.metrics.peers import Peers
from gateway.pricing.prices import Prices
from gateway.routing.router import Router

ANALYTICS_QUERIES = 64
"""Of one key in a minute: openrouter.ai/docs/guides/features/analytics."""


class Context(msgspec.Struct, frozen=True):
    """The parts of the running gateway that the API reads. `now`: seconds since the epoch."""

    config: Config
    keyring: Keyring
    ledger: Ledger
    now: Callable[[], float]
    router: Router
    prices: Prices
    peers: Peers
    analytics: Quota = msgspec.field(default_factory=lambda: Quota(ANALYTICS_QUERIES, 60))


Handler = Callable[[Context, Request, Target], Awaitable[web.Response]]
"""Answers one request, or raises a GatewayError."""


def visible_tenants(tenant: Tenant) -> frozenset[str] | None:
    """Whose records a key may see: a management key everyone's (None), another its own."""
    return None if tenant.is_manager else frozenset((tenant.name,))
