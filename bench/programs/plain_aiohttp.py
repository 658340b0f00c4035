"""Plain aiohttp: its server and its client with uvloop and nothing in between, in one process.

What Hearth would cost at the least if its hot path were written with aiohttp's own objects.
"""

import itertools
import sys

import aiohttp
import uvloop
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

from bench.program import Launch, Program, Site

_NOT_PASSED = ("Host", "Content-Length", "Transfer-Encoding", "Connection")


def _launch(site: Site) -> Launch:
    ports = (str(port) for port in (site.port, *site.upstreams))
    return Launch((sys.executable, "-m", "bench.programs.plain_aiohttp", *ports))


PLAIN_AIOHTTP = Program(
    name="plain aiohttp",
    origin="PyPI aiohttp",
    does="1 process, uvloop, server + ClientSession, round robin; no feature at all",
    install=lambda: aiohttp.__version__,
    launch=_launch,
)


class Passing:
    """Every request to the next provider, every answer back."""

    def __init__(self, session: aiohttp.ClientSession, upstreams: list[str]) -> None:
        self._session = session
        self._next = itertools.cycle(upstreams)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Pass `request` on, and its answer back as it comes."""
        async with self._session.request(
            request.method,
            f"http://127.0.0.1:{next(self._next)}{request.raw_path}",
            headers=_passed(request.headers),
            data=await request.read(),
        ) as answer:
            headers = _passed(answer.headers)
            if answer.content_length is not None:
                body = await answer.read()
                return web.Response(status=answer.status, headers=headers, body=body)
            response = web.StreamResponse(status=answer.status, headers=headers)
            await response.prepare(request)
            async for piece in answer.content.iter_any():
                await response.write(piece)
            return response


def _passed(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    passed = headers.copy()
    for name in _NOT_PASSED:
        passed.popall(name, None)
    return passed


async def _app(upstreams: list[str]) -> web.Application:
    connector = aiohttp.TCPConnector(limit=0)
    session = aiohttp.ClientSession(connector=connector, auto_decompress=False)
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", Passing(session, upstreams).handle)
    return app


def main() -> None:
    """Serve on the first port of the command line, for the providers on the others."""
    port, *upstreams = sys.argv[1:]
    loop = uvloop.new_event_loop()
    web.run_app(
        _app(upstreams), host="127.0.0.1", port=int(port), loop=loop, access_log=None, print=None
    )


if __name__ == "__main__":
    main()
