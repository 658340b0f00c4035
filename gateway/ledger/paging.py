"""Long lists of generations, a page at a time."""

from collections.abc import AsyncIterator, Sequence

import msgspec

from gateway.generation import Generation
from gateway.ledger.queries import GenerationQuery
from gateway.ledger.store import Store

_PAGE = 500
"""Writing a page as rows of text takes ten milliseconds of the event loop."""


async def pages_of(store: Store, query: GenerationQuery) -> AsyncIterator[Sequence[Generation]]:
    """All that `query` matches from its cursor on, newest first; its `limit` does not count."""
    query = msgspec.structs.replace(query, limit=_PAGE)
    while rows := await store.generations(query):
        yield rows
        if len(rows) < _PAGE:
            return
        query = msgspec.structs.replace(query, before=(rows[-1].created_at, rows[-1].id))
