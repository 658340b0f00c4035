"""What all pages have: the parts they read, who may look, their headers."""

import time
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path

import aiohttp_jinja2
from aiohttp import web

from gateway.api.accept import preferred
from gateway.api.context import Context
from gateway.dashboard.access.attempts import Attempts
from gateway.dashboard.access.session import COOKIE, Sessions
from gateway.errors import GatewayError
from gateway.keys import Tenant
from gateway.wire.aiohttp_edge import without_body
from gateway.wire.limits import Limits

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self';"
        " img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
"""On every page. Whatever a user id contains, the browser runs and fetches nothing but ours."""


class Dashboard:
    """What all pages share while the gateway runs."""

    def __init__(self, context: Context, secret: bytes, limits: Limits) -> None:
        self.context = context
        self.limits = limits
        journal = Path(context.config.ledger.journal)
        self.sessions = Sessions(secret, context.keyring, context.now, journal)
        self.attempts = Attempts(time.monotonic)

    def tenant(self, request: web.Request) -> Tenant:
        """Who looks: by cookie, else by key. Raises Unauthorized, or Forbidden for another site."""
        signed_in = self.sessions.tenant(request.cookies.get(COOKIE, ""))
        return signed_in or self.context.keyring.tenant(without_body(request))

    def visitor(self, request: web.Request) -> Tenant | None:
        """Who looks; None for somebody who is not signed in."""
        try:
            return self.tenant(request)
        except GatewayError:
            return None


DASHBOARD = web.AppKey("dashboard", Dashboard)


def wants_page(request: web.Request) -> bool:
    """Whether the client is a browser. One that asks for a page names HTML in `Accept`. One that
    saves what a page links to accepts anything, but has a session, or says that it navigates
    (Fetch Metadata, section 2.3)."""
    asked = ",".join(request.headers.getall("Accept", ()))
    named = preferred(asked, ("application/json", "text/csv", "text/html"))
    if named is not None:
        return named == "text/html"
    return COOKIE in request.cookies or request.headers.get("Sec-Fetch-Mode") == "navigate"


def show_error(request: web.Request, error: GatewayError) -> web.Response:
    """A page that says what is wrong, with the error's own headers."""
    values = {
        "status": error.status,
        "phrase": HTTPStatus(error.status).phrase,
        "message": error.message,
        "address": str(request.rel_url),
        "param": error.param,
        "without": _without(request, error.param),
    }
    response = render(request, "error.html", values, error.status)
    response.headers.update(error.headers)
    return response


def _without(request: web.Request, param: str | None) -> str | None:
    """The address without the parameter that is wrong; None where it has no such one."""
    if param is None or param not in request.query:
        return None
    return str(request.rel_url.without_query_params(param))


def render(
    request: web.Request, template: str, values: Mapping[str, object], status: int = 200
) -> web.Response:
    """A page with the headers that every page has, in a frame with links to the other pages for
    those who are signed in."""
    frame = {
        "path": request.rel_url.raw_path,
        "visitor": request.app[DASHBOARD].visitor(request),
    }
    response = aiohttp_jinja2.render_template(template, request, {**frame, **values}, status=status)
    response.headers.update(HEADERS)
    return response
