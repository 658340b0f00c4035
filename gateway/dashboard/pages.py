"""Which page is at which address, and who may look."""

from collections.abc import Awaitable, Callable
from functools import partial
from hashlib import sha256
from pathlib import Path

import aiohttp_jinja2
import jinja2
import msgspec
from aiohttp import web

from gateway.api.query import read_query
from gateway.dashboard.access.login import add_login
from gateway.dashboard.access.origin import is_cross_site
from gateway.dashboard.activity import page as activity
from gateway.dashboard.addresses import link
from gateway.dashboard.formats import FILTERS, GLOBALS
from gateway.dashboard.frame import DASHBOARD, Dashboard, show_error, wants_page
from gateway.dashboard.generations import generation, log
from gateway.dashboard.providers import page as providers
from gateway.dashboard.sending import send
from gateway.dashboard.users import grid, personal, user
from gateway.dashboard.visit import Handler, Visit
from gateway.errors import Forbidden, GatewayError, Unauthorized
from gateway.keys import Tenant

AiohttpHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Route(msgspec.Struct, frozen=True):
    """A page, and the parameters it knows."""

    handler: Handler
    parameters: tuple[str, ...]


SHARED = {
    "/activity": Route(activity.show_activity, activity.PARAMETERS),
    "/generations": Route(log.show_generations, log.PARAMETERS),
    "/generation": Route(generation.show_generation, generation.PARAMETERS),
}
"""Pages for a browser, JSON for everyone else."""

OWN = {
    "/generations/{place:.+}": Route(generation.show_generation, generation.PARAMETERS),
    "/users": Route(grid.show_users, grid.PARAMETERS),
    "/users/": Route(user.show_user, user.PARAMETERS),
    "/users/{place:.+}": Route(user.show_user, user.PARAMETERS),
    "/providers": Route(providers.show_providers, providers.PARAMETERS),
    "/providers/": Route(providers.show_providers, providers.PARAMETERS),
}

FORMS = {
    "/users/": Route(personal.erase_user, personal.PARAMETERS),
    "/users/{place:.+}": Route(personal.erase_user, personal.PARAMETERS),
}
"""Addresses that a page posts to."""


_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FOR_GOOD = {"Cache-Control": "public, max-age=31536000, immutable"}
"""RFC 9111 section 5.2.2.1, RFC 8246: for what has another address when it changes."""


def add_pages(app: web.Application, api: AiohttpHandler) -> None:
    """Put the pages into `app`; `api` answers the shared addresses for everyone but browsers."""
    environment = aiohttp_jinja2.setup(
        app,
        loader=jinja2.PackageLoader("gateway.dashboard"),
        filters=FILTERS,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.update(GLOBALS, static=_add_static(app).__getitem__)
    for path, route in SHARED.items():
        for spelled in (path, f"{path}/"):
            app.router.add_get(spelled, _either(_page(route), api))
    for path, route in OWN.items():
        app.router.add_get(path, _page(route))
    for path, route in FORMS.items():
        app.router.add_post(path, _form(route))
    app.router.add_get("/", _home)
    add_login(app)


def _add_static(app: web.Application) -> dict[str, str]:
    """Serve the files of `static` out of memory, each by itself, as aiohttp's own way fails at
    names that no file can have; file name -> an address that changes with its content."""
    addresses: dict[str, str] = {}
    for file in (Path(__file__).parent / "static").iterdir():
        content, path = file.read_bytes(), f"/static/{file.name}"
        app.router.add_get(path, partial(_send_file, content, _TYPES[file.suffix]))
        addresses[file.name] = link(path, v=sha256(content).hexdigest()[:16])
    return addresses


async def _send_file(content: bytes, kind: str, request: web.Request) -> web.StreamResponse:
    return web.Response(body=content, content_type=kind, headers=_FOR_GOOD)


async def _home(request: web.Request) -> web.StreamResponse:
    raise web.HTTPSeeOther("/activity")


def _either(page: AiohttpHandler, api: AiohttpHandler) -> AiohttpHandler:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = await (page if wants_page(request) else api)(request)
        response.headers["Vary"] = "Accept, Cookie, Sec-Fetch-Mode"
        return response

    return answer


def _page(route: Route) -> AiohttpHandler:
    async def answer(request: web.Request) -> web.StreamResponse:
        dashboard = request.app[DASHBOARD]
        try:
            visit = _visit(request, dashboard, dashboard.tenant(request), route)
            if visit.has_blanks and request.method != "POST":
                raise web.HTTPSeeOther(visit.link())
            return await send(request, visit, await route.handler(visit))
        except Unauthorized:
            raise web.HTTPSeeOther(link("/login", next=request.raw_path)) from None
        except GatewayError as error:
            return show_error(request, error)

    return answer


def _form(route: Route) -> AiohttpHandler:
    page = _page(route)

    async def answer(request: web.Request) -> web.StreamResponse:
        if is_cross_site(request):
            return show_error(request, Forbidden("Use the form on Hearth's own page."))
        return await page(request)

    return answer


def _visit(request: web.Request, dashboard: Dashboard, tenant: Tenant, route: Route) -> Visit:
    query = request.rel_url.raw_query_string
    return Visit(
        context=dashboard.context,
        tenant=tenant,
        path=request.rel_url.raw_path,
        query=query,
        values=read_query(query, route.parameters),
        place=request.match_info.get("place"),
        now=dashboard.context.now(),
    )
