"""A user who is forgotten: nothing of it is found, and what it cost stays counted."""

import asyncio

import pytest

from gateway.calendar import month_of
from gateway.ledger.queries import ActivityQuery, GenerationQuery, LeaderboardQuery, UserQuery
from gateway.ledger.store import Store
from tests.parts import counting
from tests.parts.crowds import crowd
from tests.parts.generations import DAY, MICROSECONDS, generation, records
from tests.parts.stores import counted

CROWD = crowd()
EVER = 99_999
ERASED = [each for each in CROWD if (each.tenant, each.user) == ("app", "user_0")]
OTHERS = [each for each in CROWD if each not in ERASED]
MONTHS = range(month_of(DAY), month_of(DAY) + 3)


@pytest.fixture
def store(own_crowded: Store) -> Store:
    """Every test erases in a store of its own."""
    return own_crowded


async def test_nothing_is_found(store: Store) -> None:
    """Generations, daily rows, boards and spreads are those of everyone else."""
    assert await store.erase("app", "user_0") == len(ERASED) > 3
    newest = sorted(OTHERS, key=lambda one: (one.created_at, one.id), reverse=True)
    assert list(await store.generations(GenerationQuery(limit=999))) == newest
    query = GenerationQuery(tenants=frozenset({"app"}), user="user_0")
    assert await store.generations(query) == []
    for each in ERASED:
        assert await store.generation(each.id, None) is None
        assert each.upstream_id is None or await store.generation(each.upstream_id, None) is None
    rows = await store.activity(ActivityQuery(since=0, until=EVER, by=frozenset({"user"})))
    assert list(rows) == counting.activity(OTHERS, {"user"})
    users = await store.users(UserQuery(since=0, until=EVER, limit=999))
    assert list(users) == counting.users(OTHERS)


async def test_standings_without(store: Store) -> None:
    """No month has the user on a board or in a bar any more; everyone else stands as before."""
    await store.erase("app", "user_0")
    for month in MONTHS:
        left = counting.users(each for each in OTHERS if month_of(each.day) == month)
        rows = await store.leaderboard(LeaderboardQuery(month=month, limit=999))
        assert list(rows) == left
        spread = await store.spread(month, None)
        assert sum(bar.users for bar in spread.requests) == len(left)
        assert sum(bar.users for bar in spread.cost) == len(left)


async def test_totals_stay(store: Store) -> None:
    """Rows that name nobody still have what the user's calls cost, and the recount balances."""
    await store.erase("app", "user_0")
    rows = await store.activity(ActivityQuery(since=0, until=EVER))
    assert list(rows) == counting.activity(CROWD)
    assert list(await store.hours(0, EVER * 24, None)) == counting.hours(CROWD)
    assert await counted(store) == len(CROWD)


async def test_namesake_of_another_tenant(store: Store) -> None:
    """Another tenant's user of the same name is another user."""
    await store.erase("app", "user_0")
    (row,) = await store.users(UserQuery(since=0, until=EVER, user="user_0"))
    assert row.tenant == "other"


async def test_erased_again(store: Store) -> None:
    """Once more finds nothing and changes nothing; so does a user nobody knows."""
    assert await store.erase("app", "user_0") == len(ERASED)
    assert await store.erase("app", "user_0") == 0
    assert await store.erase("app", "nobody") == 0
    assert await counted(store) == len(CROWD)


async def test_replay_after_erasing(store: Store) -> None:
    """A batch that comes again does not bring the user back."""
    await store.erase("app", "user_0")
    await store.apply(records(*CROWD)[-70:])
    assert await store.users(UserQuery(since=0, until=EVER, user="user_0", limit=9)) != []
    tenants = frozenset({"app"})
    assert await store.users(UserQuery(since=0, until=EVER, user="user_0", tenants=tenants)) == []
    assert await counted(store) == len(CROWD)


async def test_user_who_comes_back(store: Store) -> None:
    """A call after the erasing is the first of a user, and can be erased as well."""
    await store.erase("app", "user_0")
    back = generation(900, day=ERASED[0].day, user="user_0", upstream_id="up-900")
    await store.apply(records(back, writer="later"))
    query = UserQuery(since=0, until=EVER, user="user_0", tenants=frozenset({"app"}))
    assert list(await store.users(query)) == counting.users([back])
    assert await store.generation("up-900", None) == back
    assert await counted(store) == len(CROWD) + 1
    assert await store.erase("app", "user_0") == 1
    assert await counted(store) == len(CROWD) + 1


async def test_generations_expired_before(store: Store) -> None:
    """A user part of whose generations are forgotten already: complete days still balance."""
    first = DAY + 30
    await store.expire(first * MICROSECONDS, 0)
    kept = [each for each in ERASED if each.day >= first]
    assert await store.erase("app", "user_0") == len(kept)
    recount = await store.recount()
    assert recount.by_user == recount.by_provider
    complete = {day for day in recount.by_provider if day >= recount.complete_from}
    assert recount.complete_from == first
    assert {day: recount.by_generation[day] for day in complete} == {
        day: recount.by_provider[day] for day in complete
    }


async def test_what_was_erased_expires(store: Store) -> None:
    """What erased users left in the totals of a day is forgotten with that day."""
    await store.erase("app", "user_0")
    await store.expire((DAY + 20) * MICROSECONDS, DAY + 20)
    left = [each for each in CROWD if each.day >= DAY + 20]
    recount = await store.recount()
    assert recount.by_user == recount.by_provider == counting.by_day(left)
    assert recount.by_generation == recount.by_user


async def test_erasing_under_load(store: Store) -> None:
    """Calls that come meanwhile count once each, the erased user's own included."""
    more = [generation(n, user=f"user_{n % 3}", day=DAY + n % 3) for n in range(5000, 5200)]
    batch = records(*more, writer="live")
    parts = [batch[start : start + 20] for start in range(0, len(batch), 20)]

    async def apply_all() -> None:
        for part in parts:
            await store.apply(part)

    await asyncio.gather(apply_all(), store.erase("app", "user_0"), store.erase("app", "user_0"))
    assert await counted(store) == len(CROWD) + len(more)
