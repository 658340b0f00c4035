"""What every store forgets, when, and that nothing of it is counted again."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.calendar import month_of
from gateway.ledger.queries import ActivityQuery, GenerationQuery, LeaderboardQuery, UserQuery
from gateway.ledger.store import Store
from tests.parts import counting
from tests.parts.crowds import crowd
from tests.parts.generations import DAY, MICROSECONDS, generation, records
from tests.parts.stores import EACH, STORES

EVER = 99_999
"""A day after all that tests are about."""


@pytest.fixture(params=EACH)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """One kind of store after the other, empty."""
    async with STORES[request.param](tmp_path) as opened:
        yield opened


async def test_expired_generations(store: Store) -> None:
    """Generations before the moment are forgotten, their counts are not."""
    await store.apply(records(*(generation(n, upstream_id=f"up-{n}") for n in range(1, 6))))
    await store.expire(DAY * MICROSECONDS + 3_000_000, 0)
    kept = await store.generations(GenerationQuery())
    assert [int(each.id[-6:]) for each in kept] == [5, 4, 3]
    assert await store.generation("up-2", None) is None
    (row,) = await store.activity(ActivityQuery(since=0, until=EVER))
    assert row.counts.requests == 5


async def test_replay_after_expiry(store: Store) -> None:
    """A batch that comes again counts nothing, also when its generations are forgotten by now."""
    await store.apply(records(generation(1), generation(2)))
    await store.expire((DAY + 1) * MICROSECONDS, 0)
    await store.apply(records(generation(1), generation(2)))
    (row,) = await store.activity(ActivityQuery(since=0, until=EVER))
    assert row.counts.requests == 2


async def test_expired_activity(store: Store) -> None:
    """Rows of days before the day are forgotten, by user and without; the day itself stays."""
    everything = crowd(60)
    await store.apply(records(*everything))
    await store.expire(0, DAY + 1)
    left = [each for each in everything if each.day > DAY]
    assert list(await store.activity(ActivityQuery(since=0, until=EVER))) == counting.activity(left)
    assert list(await store.users(UserQuery(since=0, until=EVER))) == counting.users(left)


@pytest.mark.parametrize(
    ("generations_before", "activity_before", "complete_from"),
    [
        (0, 0, 0),
        (DAY * MICROSECONDS, 0, DAY),
        (DAY * MICROSECONDS + 1, 0, DAY + 1),
        (0, DAY + 2, DAY + 2),
    ],
)
async def test_complete_days(
    store: Store, generations_before: int, activity_before: int, complete_from: int
) -> None:
    """A day of which anything was forgotten is not complete; that is remembered, not undone."""
    await store.apply(records(generation(1)))
    await store.expire(generations_before, activity_before)
    await store.expire(0, 0)
    assert (await store.recount()).complete_from == complete_from


async def test_expired_positions(store: Store) -> None:
    """A writer is forgotten when nothing is kept of the last day it counted on."""
    await store.apply(records(generation(1), generation(2, day=DAY + 5), writer="long"))
    await store.apply(records(generation(3), writer="short"))
    await store.expire((DAY + 1) * MICROSECONDS, DAY)
    await store.expire(DAY * MICROSECONDS, DAY + 1)
    assert await store.positions(["long", "short"]) == {"long": 2, "short": 1}
    await store.expire((DAY + 1) * MICROSECONDS, DAY + 1)
    assert await store.positions(["long", "short"]) == {"long": 2}


@pytest.mark.parametrize("kept", ["rows", "generations", "nothing"])
async def test_journal_of_a_forgotten_writer(store: Store, kept: str) -> None:
    """What a writer counted before retention is not counted again with what it counts after."""
    old, new = generation(1), generation(2, day=DAY + 5)
    await store.apply(records(old))
    moment = (DAY if kept == "generations" else DAY + 5) * MICROSECONDS
    await store.expire(moment, DAY if kept == "rows" else DAY + 5)
    await store.apply(records(old))
    await store.apply(records(old, new))
    assert await store.positions(["w"]) == {"w": 2}
    assert list(await store.generations(GenerationQuery())) == (
        [new, old] if kept == "generations" else [new]
    )
    rows = await store.activity(ActivityQuery(since=0, until=EVER))
    assert sum(row.counts.requests for row in rows) == (2 if kept == "rows" else 1)
    (row,) = await store.users(UserQuery(since=0, until=EVER))
    assert row.counts.requests == (2 if kept == "rows" else 1)
    (month,) = await store.leaderboard(LeaderboardQuery(month=month_of(DAY)))
    assert month.counts.requests == 2


async def test_records_of_days_past_retention(store: Store) -> None:
    """What comes of a day whose rows are forgotten, while generations of it are kept, is there as
    one of these and in no row."""
    await store.apply(records(generation(1), generation(2, day=DAY + 5)))
    await store.expire(0, DAY + 5)
    late = [generation(n, user=user) for n, user in enumerate(("user_1", "user_2"), 3)]
    await store.apply(records(*late, writer="late"))
    assert await store.generation(late[1].id, None) == late[1]
    assert await store.active_users(0, EVER, None) == {DAY + 5: 1}
    for users in (None, frozenset({"user_1", "user_2"})):
        (row,) = await store.activity(ActivityQuery(since=0, until=EVER, users=users))
        assert (row.day, row.counts.requests) == (DAY + 5, 1)
    (user,) = await store.users(UserQuery(since=0, until=EVER))
    assert user.counts.requests == 1
    assert list((await store.recount()).by_user) == [DAY + 5]


async def test_records_past_retention(store: Store) -> None:
    """What comes after its day is forgotten is passed over, and the rest of its batch counts."""
    await store.expire((DAY + 5) * MICROSECONDS, DAY + 5)
    await store.apply(records(generation(1), generation(2, day=DAY + 5), generation(3)))
    assert await store.positions(["w"]) == {"w": 3}
    (row,) = await store.activity(ActivityQuery(since=0, until=EVER))
    assert (row.day, row.counts.requests) == (DAY + 5, 1)
