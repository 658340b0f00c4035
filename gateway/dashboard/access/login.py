"""Signing in with a key, and out again."""

import asyncio
import math
from urllib.parse import parse_qs

from aiohttp import web

from gateway.dashboard.access.origin import is_cross_site
from gateway.dashboard.access.session import COOKIE, LIFETIME
from gateway.dashboard.frame import DASHBOARD, Dashboard, render, show_error
from gateway.errors import Forbidden, GatewayError, Unauthorized
from gateway.keys import Tenant
from gateway.wire.aiohttp_edge import read_body

_HOME = "/activity"
_MAX_FORM = 4096
"""Bytes of the form."""


def add_login(app: web.Application) -> None:
    """Put the routes into `app`."""
    app.router.add_get("/login", _show)
    app.router.add_post("/login", _sign_in)
    app.router.add_post("/logout", _sign_out)


async def _show(request: web.Request) -> web.Response:
    """The form; nothing to do where there are no keys, or for somebody who is signed in."""
    try:
        request.app[DASHBOARD].tenant(request)
    except Unauthorized:
        return _form(request, "", 200)
    except GatewayError as error:
        return show_error(request, error)
    raise web.HTTPSeeOther(_next(request))


async def _sign_in(request: web.Request) -> web.Response:
    if is_cross_site(request):
        return show_error(request, Forbidden("Sign in on Hearth's own page."))
    dashboard, address = request.app[DASHBOARD], request.remote or ""
    try:
        form = await read_body(request, _MAX_FORM, dashboard.limits)
    except GatewayError as error:
        return show_error(request, error)
    # Nothing is awaited from here on, or attempts at the same moment would not know of each other.
    wait = dashboard.attempts.wait(address)
    if wait > 0:
        text = f"Too many attempts. Try again in {math.ceil(wait)} seconds."
        refusal = _form(request, text, 429)
        refusal.headers["Retry-After"] = str(math.ceil(wait))
        return refusal
    tenant = _key_holder(form, dashboard)
    if tenant is None:
        dashboard.attempts.failed(address)
        return _form(request, "This key is not known.", 401)
    answer = web.HTTPSeeOther(_next(request))
    _set_cookie(request, answer, dashboard.sessions.cookie(tenant))
    raise answer


async def _sign_out(request: web.Request) -> web.Response:
    if is_cross_site(request):
        return show_error(request, Forbidden("Sign out on Hearth's own page."))
    sessions = request.app[DASHBOARD].sessions
    await asyncio.to_thread(sessions.end, request.cookies.get(COOKIE, ""))
    answer = web.HTTPSeeOther("/login")
    answer.del_cookie(COOKIE, path="/", httponly=True, samesite="Strict")
    raise answer


def _key_holder(form: bytes, dashboard: Dashboard) -> Tenant | None:
    """Of the field `key` in an `application/x-www-form-urlencoded` body."""
    key = parse_qs(form.decode("latin-1")).get("key", [""])[0]
    try:
        return dashboard.context.keyring.tenant_of(key.strip().encode())
    except Unauthorized:
        return None


def _form(request: web.Request, problem: str, status: int) -> web.Response:
    values = {"problem": problem, "next": _next(request)}
    return render(request, "login.html", values, status)


def _set_cookie(request: web.Request, answer: web.HTTPSeeOther, value: str) -> None:
    answer.set_cookie(
        COOKIE,
        value,
        path="/",
        max_age=LIFETIME,
        httponly=True,
        secure=request.secure,
        samesite="Strict",
    )


def _next(request: web.Request) -> str:
    """Where to go after signing in: only ever to a page of ours."""
    wanted = request.query.get("next", _HOME)
    is_ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return wanted if is_ours and wanted.isprintable() else _HOME
