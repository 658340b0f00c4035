"""Reading single requests, up to a limit, for what cannot be answered from counts."""

from collections.abc import AsyncIterator, Sequence

from gateway.errors import BadRequest
from gateway.generation import Generation
from gateway.ledger.paging import pages_of
from gateway.ledger.queries import GenerationQuery
from gateway.ledger.store import Store

MAX_REQUESTS = 100_000
"""The most that one query reads: about two seconds of work."""


async def read_requests(
    store: Store, query: GenerationQuery, most: int = MAX_REQUESTS
) -> AsyncIterator[Sequence[Generation]]:
    """All that `query` matches, page by page; BadRequest when it is more than `most`."""
    count = 0
    async for found in pages_of(store, query):
        count += len(found)
        if count > most:
            raise BadRequest(
                f"This query has to read more than {most} single requests; ask for a shorter"
                " time, or for whole UTC days and only for what daily counts have"
            )
        yield found
