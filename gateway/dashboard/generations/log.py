"""The log: one row a call, newest first."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec

from gateway.api.openrouter.generations import (
    FILTERS,
    OUTCOMES,
    next_cursor,
    read_list_query,
)
from gateway.api.openrouter.record import ROW_COLUMNS, generation_row
from gateway.calendar import day_text
from gateway.dashboard.visit import Page, Table, Visit
from gateway.generation import Generation
from gateway.ledger.paging import pages_of
from gateway.ledger.queries import GenerationQuery
from gateway.ledger.store import Store

PARAMETERS = (*FILTERS, "format")

_PIECE = 500


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows. `next`: the cursor of the page after; new rows come to a live one."""

    query: GenerationQuery
    rows: Sequence[Generation]
    next: str | None
    is_live: bool
    outcomes: Sequence[str] = OUTCOMES


async def show_generations(visit: Visit) -> Page | Table:
    """The page; with `format=rows` only its table's rows, to be put on top of a page."""
    values = {name: value for name, value in visit.values.items() if name != "format"}
    query = read_list_query(values, visit.tenant, visit.context.keyring)
    store = await visit.context.ledger.fresh()
    wanted = visit.values.get("format")
    if wanted == "csv":
        name = f"generations-{day_text(visit.today)}"
        return Table(name, ROW_COLUMNS, _all_rows(store, query))
    rows = await store.generations(query)
    template = "generation_rows.html" if wanted == "rows" else "generations.html"
    log = Log(query=query, rows=rows, next=next_cursor(rows, query), is_live=query.before is None)
    return Page(template, log)


async def _all_rows(store: Store, query: GenerationQuery) -> AsyncIterator[list[dict[str, Any]]]:
    """Every row that matches, from where the page begins to the oldest."""
    async for rows in pages_of(store, msgspec.structs.replace(query, limit=_PIECE)):
        yield [generation_row(row) for row in rows]
