"""Long lists of generations, a page at a time."""

from collections.abc import AsyncIterator, Sequence

import msgspec

from gateway.generation import Generation
from gateway.ledger.queries import GenerationQuery
from gateway.ledger.store import Store


async def pages_of(store: Store, query: GenerationQuery) -> AsyncIterator[Sequence[Generation]]:
    """All that `query` matches from its cursor on, newest first, `limit` to a page; none empty."""
    while rows := await store.generations(query):
        yield rows
        if len(rows) < query.limit:
            return
        query = msgspec.structs.replace(query, before=(rows[-1].created_at, rows[-1].id))
