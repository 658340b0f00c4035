"""The contract of every store: what is applied counts once, and is found by what it was."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from gateway.generation import Extras, Generation, Usage
from gateway.ledger.queries import (
    ActivityQuery,
    Dimension,
    GenerationQuery,
    UserQuery,
)
from gateway.ledger.store import Store
from tests.parts import counting
from tests.parts.generations import DAY, MICROSECONDS, generation, records, refusal
from tests.parts.stores import EACH, STORES, OpenStore, counted

EVER = 99_999
"""A day after all that tests are about."""
APP = frozenset({"app"})


@pytest.fixture(params=EACH)
def open_store(request: pytest.FixtureRequest) -> OpenStore:
    """One kind of store after the other."""
    return STORES[request.param]


@pytest.fixture
async def store(open_store: OpenStore, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store."""
    async with open_store(tmp_path) as opened:
        yield opened


def ids(found: Sequence[Generation]) -> list[str]:
    return [each.id for each in found]


async def test_empty_store(store: Store) -> None:
    """A new store answers everything, with nothing."""
    assert await store.positions(["w"]) == {}
    assert await store.generation("gen-1", None) is None
    assert await store.generations(GenerationQuery()) == []
    assert await store.activity(ActivityQuery(since=0, until=EVER)) == []
    assert await store.users(UserQuery(since=0, until=EVER)) == []
    assert await store.hours(0, EVER, None) == []
    assert await store.active_users(0, EVER, None) == {}
    assert await store.erase("app", "user_1") == 0
    assert await counted(store) == 0


async def test_applying_nothing(store: Store) -> None:
    """An empty batch is no error and changes nothing."""
    await store.apply([])
    assert await counted(store) == 0


async def test_position_follows_the_last_record(store: Store) -> None:
    """A writer's position is its last applied sequence; only writers asked for are told."""
    await store.apply([*records(generation(1), generation(2)), *records(generation(3), writer="v")])
    assert await store.positions(["w", "x"]) == {"w": 2}
    assert await store.positions(["w", "v"]) == {"w": 2, "v": 1}
    assert await store.positions([]) == {}


async def test_batch_applied_again(store: Store) -> None:
    """A retried batch, whole or in part, counts nothing twice."""
    batch = records(generation(1), generation(2), generation(3))
    for part in (batch[:2], batch[:2], batch, batch[1:]):
        await store.apply(part)
    assert await counted(store) == 3


async def test_batch_with_a_record_twice(store: Store) -> None:
    """A record that stands in one batch twice counts once."""
    (record,) = records(generation(1))
    await store.apply([record, record])
    assert await counted(store) == 1


async def test_generation_of_two_writers(store: Store) -> None:
    """An id counts once whoever brings it; its second writer moves on all the same."""
    await store.apply(records(generation(1), writer="v"))
    await store.apply(records(generation(1), generation(2), writer="w"))
    await store.apply([*records(generation(3), writer="x"), *records(generation(3), writer="y")])
    assert await store.positions(["v", "w", "x", "y"]) == {"v": 1, "w": 2, "x": 1, "y": 1}
    assert await counted(store) == 3


async def test_gap_in_a_sequence(store: Store) -> None:
    """A line lost to a bad disk leaves a gap, and what follows counts."""
    await store.apply(records(generation(1), first=1))
    await store.apply(records(generation(5), first=5))
    assert (await store.positions(["w"]), await counted(store)) == ({"w": 5}, 2)


async def test_store_opened_again(open_store: OpenStore, tmp_path: Path) -> None:
    """Counters and positions outlive the process that applied them."""
    batch = records(generation(1), refusal(2))
    async with open_store(tmp_path) as store:
        await store.apply(batch)
    async with open_store(tmp_path) as store:
        await store.apply(batch)
        assert (await store.positions(["w"]), await counted(store)) == ({"w": 2}, 2)


async def test_two_stores_at_once(open_store: OpenStore, tmp_path: Path) -> None:
    """Two processes applying the same journals at the same time count each record once."""
    batch = records(*map(generation, range(1, 101)))
    async with open_store(tmp_path) as one, open_store(tmp_path) as two:
        parts = (batch[:60], batch, batch[:10])
        await asyncio.gather(*(store.apply(part) for store in (one, two) for part in parts))
        assert await counted(one) == await counted(two) == 100


async def test_generation_is_kept_whole(store: Store) -> None:
    """What comes out is what went in, field by field."""
    full = generation(
        1, upstream_id="up-1", user_agent="ü\x00", error="said \ud7ff", attempts=(), streamed=True
    )
    await store.apply(records(full))
    assert await store.generation(full.id, None) == full
    assert await store.generations(GenerationQuery()) == [full]


async def test_generation_by_upstream_id(store: Store) -> None:
    """Either id finds it; when a provider used its id twice, the newest is meant."""
    old, new = (generation(number, upstream_id="up-1") for number in (1, 2))
    await store.apply(records(new, old))
    assert await store.generation("up-1", None) == new
    assert await store.generation(old.id, None) == old


async def test_generation_of_another_tenant(store: Store) -> None:
    """A tenant cannot read another's generation by either id."""
    await store.apply(records(generation(1, upstream_id="up-1", tenant="other")))
    for known in ("gen-20000-000001", "up-1"):
        assert await store.generation(known, APP) is None
        assert await store.generation(known, frozenset()) is None
        assert await store.generation(known, APP | {"other"}) is not None


async def test_upstream_id_of_two_tenants(store: Store) -> None:
    """Each tenant gets its own of two generations that share an upstream id."""
    mine, theirs = generation(1, upstream_id="up"), generation(2, upstream_id="up", tenant="other")
    await store.apply(records(mine, theirs))
    assert await store.generation("up", APP) == mine


FILTERS: list[tuple[GenerationQuery, list[int]]] = [
    (GenerationQuery(), [5, 4, 3, 2, 1]),
    (GenerationQuery(limit=2), [5, 4]),
    (GenerationQuery(tenants=APP), [5, 4, 2, 1]),
    (GenerationQuery(tenants=frozenset({"other"})), [3]),
    (GenerationQuery(tenants=APP | {"other", "third"}), [5, 4, 3, 2, 1]),
    (GenerationQuery(tenants=APP | {"other"}, limit=3), [5, 4, 3]),
    (GenerationQuery(tenants=frozenset()), []),
    (GenerationQuery(user="user_1"), [3, 1]),
    (GenerationQuery(user="user_1", tenants=APP), [1]),
    (GenerationQuery(user="user_1", tenants=frozenset()), []),
    (GenerationQuery(model="large"), [2]),
    (GenerationQuery(provider="b"), [2]),
    (GenerationQuery(status="200"), [3, 2, 1]),
    (GenerationQuery(status="refused"), [4]),
    (GenerationQuery(status="no such"), []),
    (GenerationQuery(flagged=True), [4]),
    (GenerationQuery(flagged=False), [5, 3, 2, 1]),
    (GenerationQuery(since=DAY * MICROSECONDS + 2_000_000), [5, 4, 3, 2]),
    (GenerationQuery(until=DAY * MICROSECONDS + 2_000_000), [1]),
    (GenerationQuery(status="200", tenants=APP, provider="a"), [1]),
]


@pytest.mark.parametrize(("query", "found"), FILTERS, ids=map(str, range(len(FILTERS))))
async def test_generation_filters(store: Store, query: GenerationQuery, found: list[int]) -> None:
    """Each filter keeps what matches it; together they keep what matches all; newest first."""
    await store.apply(
        records(
            generation(1),
            generation(2, user="user_2", model="large", provider="b"),
            generation(3, tenant="other"),
            refusal(4),
            generation(5, status=502, outcome="failed", user="user_2"),
        )
    )
    listed = [int(each.id[-6:]) for each in await store.generations(query)]
    assert listed == found


@pytest.mark.parametrize("tenants", [None, APP | {"other"}], ids=["all", "two tenants"])
async def test_pages_of_generations(store: Store, tenants: frozenset[str] | None) -> None:
    """Following the cursor shows each row once, also among equal times and while others come."""
    some = [
        generation(
            number, created_at=DAY * MICROSECONDS + number // 4, tenant=("app", "other")[number % 2]
        )
        for number in range(1, 24)
    ]
    await store.apply(records(*some))
    seen: list[Generation] = []
    before: tuple[int, str] | None = None
    while page := await store.generations(GenerationQuery(tenants=tenants, before=before, limit=5)):
        seen += page
        before = (page[-1].created_at, page[-1].id)
        await store.apply(records(generation(900 + len(seen)), writer=f"late-{len(seen)}"))
    assert seen == sorted(some, key=lambda each: (each.created_at, each.id), reverse=True)


SOME = (
    generation(1),
    generation(2, provider="b", usage=Usage(3, 2, 1, 0, 0), cache_discount=-5),
    generation(3, tenant="other"),
    generation(4, day=DAY + 1, model="large"),
    generation(5, day=DAY + 1, user="user_2", cost=50),
    generation(6, day=DAY + 2, model=None, outcome="failed", status=502),
    refusal(7, day=DAY + 2),
    refusal(8, day=DAY + 2, tenant="other"),
)
"""Two tenants with a `user_1` each, three days, calls without a user, a model, a provider."""


def within(since: int, until: int, tenants: frozenset[str] | None = None) -> list[Generation]:
    """Those of SOME on these days, of these tenants."""
    return [
        each
        for each in SOME
        if since <= each.day <= until and (tenants is None or each.tenant in tenants)
    ]


RANGES = [(DAY, DAY + 2), (DAY + 1, DAY + 1), (DAY + 3, DAY + 9)]


@pytest.mark.parametrize(
    "tenants", [None, APP, APP | {"other"}, frozenset()], ids=["all", "app", "two", "none"]
)
@pytest.mark.parametrize(("since", "until"), RANGES)
async def test_activity(
    store: Store, since: int, until: int, tenants: frozenset[str] | None
) -> None:
    """Rows sum up the days asked for, both ends included, by day, model and provider."""
    await store.apply(records(*SOME))
    rows = await store.activity(ActivityQuery(since=since, until=until, tenants=tenants))
    assert list(rows) == counting.activity(within(since, until, tenants))


@pytest.mark.parametrize("tenants", [None, APP], ids=["all", "app"])
@pytest.mark.parametrize(("since", "until"), RANGES)
async def test_activity_by_user(
    store: Store, since: int, until: int, tenants: frozenset[str] | None
) -> None:
    """By user, two tenants' users of one name are two, and calls without a user have a row."""
    await store.apply(records(*SOME))
    by_user: frozenset[Dimension] = frozenset({"user"})
    query = ActivityQuery(since=since, until=until, tenants=tenants, by=by_user)
    expected = counting.activity(within(since, until, tenants), by_user)
    assert list(await store.activity(query)) == expected


async def test_activity_of_one_user(store: Store) -> None:
    """Naming a user keeps that user's rows, by user, of each tenant that has one."""
    await store.apply(records(*SOME))
    rows = await store.activity(ActivityQuery(since=0, until=EVER, users=frozenset({"user_1"})))
    expected = [each for each in SOME if each.user == "user_1"]
    assert list(rows) == counting.activity(expected, {"user"})


@pytest.mark.parametrize("tenants", [None, APP], ids=["all", "app"])
@pytest.mark.parametrize(("since", "until"), RANGES)
async def test_users(store: Store, since: int, until: int, tenants: frozenset[str] | None) -> None:
    """One row a user of a tenant, with the days and times it was there within the range."""
    await store.apply(records(*SOME))
    rows = await store.users(UserQuery(since=since, until=until, tenants=tenants))
    assert list(rows) == counting.users(within(since, until, tenants))


async def test_first_seen_out_of_order(store: Store) -> None:
    """Writers are applied in any order; first and last follow the clock, not the order."""
    for number in (5, 2, 9):
        await store.apply(records(generation(number), writer=f"w{number}"))
    (row,) = await store.users(UserQuery(since=0, until=EVER))
    start = DAY * MICROSECONDS
    assert (row.first_seen, row.last_seen) == (start + 2_000_000, start + 9_000_000)


async def test_usage_that_is_not_text(store: Store) -> None:
    """It comes back as it was; in rows, audio counts as the tokens it is."""
    heard = generation(1, usage=Usage(100, 50, extras=Extras(90, 0, 0, 0, 40, 0, 2)))
    await store.apply(records(heard))
    assert await store.generation(heard.id, None) == heard
    (row,) = await store.activity(ActivityQuery(since=0, until=EVER))
    assert (row.counts.prompt_tokens, row.counts.completion_tokens) == (100, 50)


async def test_absurd_usage(store: Store) -> None:
    """Numbers beyond all sense are bounded: they neither stop the ledger nor break a sum."""
    absurd = Usage(10**30, 2**63, 2**64, -(10**30))
    await store.apply(records(*(generation(n, usage=absurd, cost=2**63) for n in range(1, 40))))
    (row,) = await store.activity(ActivityQuery(since=0, until=EVER))
    assert (row.counts.requests, row.counts.prompt_tokens) == (39, 39 * 10**13)
    assert await counted(store) == 39


async def test_a_broken_record(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged and passed over: not a list, an expiry or an erasure fails for it."""
    whole, other, broken = records(generation(1), generation(2, user="other"), generation(3))
    broken.packed = b"\xc1 no record"
    await store.apply([whole, other, broken])
    assert await store.generation(broken.id, None) is None
    listed = [await store.generations(GenerationQuery(limit=limit)) for limit in (1, 9)]
    assert [ids(some) for some in listed] == [[other.id], [other.id, whole.id]]
    assert "no record" in caplog.text
    recount = await store.recount()
    assert recount.by_user == recount.by_provider != recount.by_generation
    await store.erase("app", "other")
    await store.expire((DAY + 1) * MICROSECONDS, 0)
    assert await store.generations(GenerationQuery()) == []
    (row,) = await store.activity(ActivityQuery(since=0, until=EVER))
    assert row.counts.requests == 3
