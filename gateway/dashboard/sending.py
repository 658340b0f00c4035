"""How the answer of a page becomes HTML, CSV or a file."""

import msgspec
from aiohttp import web

from gateway.api.answers import long_answer
from gateway.api.ledger_view import LAG_HEADER
from gateway.api.table import csv_pieces
from gateway.dashboard.frame import HEADERS, render
from gateway.dashboard.visit import Answer, Chunks, Page, Table, Visit

_BEHIND = 2.0
"""Seconds behind from which on a page says so: a batch is under way for less."""


async def send(request: web.Request, visit: Visit, answer: Answer) -> web.Response:
    """Send `answer` in the form that it is of; a download that fails at once raises why."""
    if isinstance(answer, Page):
        return await _show(request, visit, answer)
    if isinstance(answer, Table):
        chunks = csv_pieces(answer.rows, answer.columns)
        return await long_answer(chunks, "text/csv", f"{answer.name}.csv", HEADERS)
    if isinstance(answer, Chunks):
        return await long_answer(answer.chunks, answer.content_type, answer.name, HEADERS)
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
