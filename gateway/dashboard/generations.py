"""The log: one row a call, newest first."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec

from gateway.api.openrouter.generations import FILTERS, next_cursor, read_list_query
from gateway.api.openrouter.record import ROW_COLUMNS, generation_row
from gateway.calendar import day_text
from gateway.dashboard.visit import Page, Table, Visit
from gateway.ledger.store import GenerationQuery, Store

PARAMETERS = (*FILTERS, "format")
OUTCOMES = ("ok", "refused", "failed", "cancelled", "cut")

_PIECE = 500


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
    shown: Mapping[str, Any] = {
        "query": query,
        "rows": rows,
        "next": next_cursor(rows, query),
        "is_live": query.before is None,
        "outcomes": OUTCOMES,
    }
    return Page(template, shown)


async def _all_rows(store: Store, query: GenerationQuery) -> AsyncIterator[list[dict[str, Any]]]:
    """Every row that matches, from where the page begins to the oldest."""
    query = msgspec.structs.replace(query, limit=_PIECE)
    while rows := await store.generations(query):
        yield [generation_row(row) for row in rows]
        query = msgspec.structs.replace(query, before=(rows[-1].created_at, rows[-1].id))
