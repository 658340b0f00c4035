"""Single requests of a stretch of time, so many and no more: some questions need each of them."""

from collections.abc import AsyncIterator, Sequence

import msgspec

from gateway.errors import BadRequest
from gateway.generation import Generation
from gateway.ledger.store import GenerationQuery, Store

MOST = 100_000
"""What one question reads: about two seconds of work."""

_PAGE = 1000


async def read_requests(
    store: Store, query: GenerationQuery, most: int = MOST
) -> AsyncIterator[Sequence[Generation]]:
    """All that `query` matches, page by page; BadRequest when it is more than `most`."""
    page = msgspec.structs.replace(query, limit=_PAGE)
    count = 0
    while found := await store.generations(page):
        count += len(found)
        if count > most:
            raise BadRequest(
                f"This question has to read more than {most} single requests; ask for a shorter"
                " time, or for whole UTC days and nothing that only single requests tell"
            )
        yield found
        if len(found) < _PAGE:
            return
        page = msgspec.structs.replace(page, before=(found[-1].created_at, found[-1].id))
