"""The list of generations under filters together, against sorting all there are."""

import msgspec
import pytest

from gateway.generation import Generation
from gateway.ledger.queries import GenerationQuery
from gateway.ledger.store import Store
from tests.parts.crowds import crowd
from tests.parts.generations import DAY, MICROSECONDS

CROWD = crowd()
TENANTS = {
    "all": None,
    "one": frozenset({"app"}),
    "two": frozenset({"app", "other"}),
    "unknown": frozenset({"nobody"}),
}
FILTERS: tuple[GenerationQuery, ...] = (
    GenerationQuery(model="large"),
    GenerationQuery(provider="b"),
    GenerationQuery(model="large", provider="b"),
    GenerationQuery(model="large", provider="never met"),
    GenerationQuery(model="small", provider="a", status="503"),
    GenerationQuery(model="small", status="failed"),
    GenerationQuery(provider="a", flagged=True),
    GenerationQuery(provider="a", flagged=False, status="200"),
    GenerationQuery(user="user_0", model="small"),
    GenerationQuery(user="user_0", flagged=True),
    GenerationQuery(user=""),
    GenerationQuery(user="", model="small"),
    GenerationQuery(user="", flagged=True),
    GenerationQuery(user="", status="422"),
    GenerationQuery(user="user_0", status="cancelled", provider="b"),
    GenerationQuery(status="ok", flagged=True),
    GenerationQuery(model="large", since=(DAY + 9) * MICROSECONDS),
    GenerationQuery(provider="b", until=(DAY + 40) * MICROSECONDS),
)


def matching(query: GenerationQuery) -> list[Generation]:
    """All that the query is about, newest first."""
    found = (each for each in CROWD if _is_meant(each, query) and _is_normal(each, query))
    return sorted(found, key=lambda one: (one.created_at, one.id), reverse=True)


def _is_meant(one: Generation, query: GenerationQuery) -> bool:
    return (
        (query.tenants is None or one.tenant in query.tenants)
        and query.user in (None, one.user or "")
        and query.model in (None, one.model)
        and query.provider in (None, one.provider)
    )


def _is_normal(one: Generation, query: GenerationQuery) -> bool:
    return (
        query.status in (None, str(one.status), one.outcome)
        and query.flagged in (None, bool(one.flags))
        and (query.since or 0) <= one.created_at < (query.until or 2**63)
    )


@pytest.mark.parametrize("tenants", TENANTS)
async def test_filters_together(crowded: Store, tenants: str) -> None:
    """What matches every filter comes, newest first, and nothing else, page by page."""
    for each in FILTERS:
        query = msgspec.structs.replace(each, tenants=TENANTS[tenants], limit=20)
        expected = matching(query)
        seen: list[Generation] = []
        while page := await crowded.generations(query):
            seen += page
            last = (page[-1].created_at, page[-1].id)
            query = msgspec.structs.replace(query, before=last)
        assert seen == expected


async def test_list_after_expiry(own_crowded: Store) -> None:
    """Lists of models and providers whose generations are all forgotten are empty."""
    await own_crowded.expire((DAY + 300) * MICROSECONDS, 0)
    assert await own_crowded.generations(GenerationQuery(model="large")) == []
    assert (
        await own_crowded.generations(GenerationQuery(tenants=TENANTS["one"], provider="a")) == []
    )
