"""The log: one row a call, newest first."""

from collections.abc import Sequence

import msgspec

from gateway.api.openrouter.generations import (
    FILTERS,
    OUTCOMES,
    read_list_query,
    read_page,
    table_rows,
)
from gateway.api.openrouter.record import ROW_COLUMNS
from gateway.calendar import day_text
from gateway.dashboard.visit import Page, Table, Visit
from gateway.generation import Generation
from gateway.ledger.queries import GenerationQuery

PARAMETERS = FILTERS


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows. `next`: the cursor of the page after; new rows come to a live one."""

    query: GenerationQuery
    rows: Sequence[Generation]
    next: str | None
    is_live: bool
    outcomes: Sequence[str] = OUTCOMES


async def show_generations(visit: Visit) -> Page | Table:
    """The page, or the calls that match as CSV."""
    query = read_list_query(visit.values, visit.tenant, visit.context.keyring)
    form = visit.form("csv")
    store = await visit.context.ledger.fresh()
    if form == "csv":
        name = f"generations-{day_text(visit.today)}"
        return Table(name, ROW_COLUMNS, table_rows(store, query, visit.values))
    rows, following = await read_page(store, query)
    log = Log(query=query, rows=rows, next=following, is_live=query.before is None)
    return Page("generations.html", log)
