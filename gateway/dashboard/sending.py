"""How the answer of a page becomes HTML, CSV or a file."""

from collections.abc import AsyncIterator

import msgspec
from aiohttp import web

from gateway.api.lag import LAG_HEADER
from gateway.api.table import csv_header, csv_lines
from gateway.dashboard.frame import HEADERS, render
from gateway.dashboard.visit import Answer, Chunks, Page, Table, Visit

_BEHIND = 2.0
"""Seconds behind from which on a page says so: a batch is under way for less."""


async def send(request: web.Request, visit: Visit, answer: Answer) -> web.StreamResponse:
    """Send `answer` in the form that it is of; a download that fails at once raises why."""
    if isinstance(answer, Page):
        return await _show(request, visit, answer)
    if isinstance(answer, Table):
        chunks = Chunks(f"{answer.name}.csv", "text/csv", _csv(answer))
        return await _stream(request, chunks)
    if isinstance(answer, Chunks):
        return await _stream(request, answer)
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{answer.name}"'}
    return web.Response(body=answer.body, content_type=answer.content_type, headers=headers)


async def _show(request: web.Request, visit: Visit, page: Page) -> web.Response:
    """The page; like every answer out of the ledger it says how far behind that is."""
    lag = (await visit.context.ledger.lag()).oldest
    shown = msgspec.structs.asdict(page.shown)
    values = {"visit": visit, "behind": lag if lag > _BEHIND else None, **shown}
    response = render(request, page.template, values)
    response.headers[LAG_HEADER] = f"{lag:.3f}"
    return response


async def _csv(table: Table) -> AsyncIterator[bytes]:
    header = csv_header(table.columns)
    async for rows in table.rows:
        yield (header + csv_lines(rows, table.columns)).encode()
        header = ""
    yield header.encode()


async def _stream(request: web.Request, download: Chunks) -> web.StreamResponse:
    """A piece at a time, so that a long one neither fills the memory nor holds up others.

    What fails before the first piece is still answered with an error.
    """
    first = await anext(download.chunks, b"")
    name = f'attachment; filename="{download.name}"'
    response = web.StreamResponse(headers={**HEADERS, "Content-Disposition": name})
    response.content_type, response.charset = download.content_type, "utf-8"
    await response.prepare(request)
    if request.method == "HEAD":
        return response  # aiohttp would send what is written all the same
    await response.write(first)
    async for chunk in download.chunks:
        await response.write(chunk)
    await response.write_eof()
    return response
