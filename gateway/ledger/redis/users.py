"""The users of any range of days: boards say who comes first, hashes what each has."""

from collections.abc import AsyncIterator, Sequence

from gateway.ledger.queries import UserQuery
from gateway.ledger.redis.client import Client
from gateway.ledger.redis.hashes import user_rows
from gateway.ledger.redis.keys import Shards
from gateway.ledger.redis.ranking import FIRST, next_users, ranked
from gateway.ledger.redis.spans import spans
from gateway.ledger.results import UserRow
from gateway.ledger.topn import Place


async def users(client: Client, shards: Shards, query: UserQuery) -> Sequence[UserRow]:
    """See Store. What is counted between the reads of boards and of hashes is told, but moves
    nobody to another page."""
    found = await spans(client, shards, query.since, query.until, query.tenants)
    parts = [part for span in found for part in span.parts]
    if query.user is not None:
        people = sorted({(span.tenant, query.user) for span in found})
        rows = await user_rows(client, shards, parts, people)
        return _in_order(rows, query)[query.offset :][: query.limit]
    people = await ranked(client, found, query.order, query.offset + query.limit)
    return _in_order(await user_rows(client, shards, parts, people[query.offset :]), query)


async def everyone(
    client: Client, shards: Shards, since: int, until: int
) -> AsyncIterator[Sequence[UserRow]]:
    """See Store. The months say who there is, as many at a time as one of their boards tells."""
    found = await spans(client, shards, since, until, None)
    parts = [part for span in found for part in span.parts]
    for tenant in sorted({span.tenant for span in found}):
        months = [month for span in found if span.tenant == tenant for month in span.months]
        after = FIRST
        while after:
            names, after = await next_users(client, months, after)
            yield await user_rows(client, shards, parts, [(tenant, name) for name in names])


def _in_order(rows: Sequence[UserRow], query: UserQuery) -> list[UserRow]:
    def place(row: UserRow) -> Place:
        return -getattr(row.counts, query.order), row.tenant, row.user or ""

    return sorted(rows, key=place)
