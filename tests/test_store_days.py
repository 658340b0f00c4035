"""What is counted by hour and by day, apart by whatever is asked for."""

import pytest

from gateway.ledger.queries import ActivityQuery, Dimension
from gateway.ledger.store import Store
from tests.parts import counting
from tests.parts.crowds import crowd
from tests.parts.generations import DAY, MICROSECONDS, generation, records

CROWD = crowd(size=200, days=5, users=9)
EVER = 99_999
BYS: tuple[frozenset[Dimension], ...] = (
    frozenset(),
    frozenset({"tenant"}),
    frozenset({"route"}),
    frozenset({"user"}),
    frozenset({"tenant", "route"}),
    frozenset({"user", "route"}),
    frozenset({"user", "tenant", "route"}),
)


@pytest.mark.parametrize("by", BYS, ids=lambda by: "-".join(sorted(by)) or "nothing")
async def test_rows_apart(crowded: Store, by: frozenset[Dimension]) -> None:
    """Rows are kept apart by what is asked for and added up over the rest; user implies tenant."""
    rows = await crowded.activity(ActivityQuery(since=DAY + 1, until=DAY + 3, by=by))
    assert list(rows) == counting.activity(
        [each for each in CROWD if DAY + 1 <= each.day <= DAY + 3], by
    )


@pytest.mark.parametrize("by", [frozenset(), frozenset({"route"})], ids=["nothing", "route"])
async def test_rows_of_a_user_apart(crowded: Store, by: frozenset[Dimension]) -> None:
    """A named user's rows are by user and tenant, and by route when asked."""
    tenants = frozenset({"app"})
    query = ActivityQuery(since=0, until=EVER, users=frozenset({"user_1"}), tenants=tenants, by=by)
    theirs = [each for each in CROWD if each.user == "user_1" and each.tenant == "app"]
    assert list(await crowded.activity(query)) == counting.activity(theirs, {"user", *by})


@pytest.mark.parametrize("users", [set(), {"user_1", "user_2"}, {"user_2", "nobody"}])
async def test_rows_of_some_users(crowded: Store, users: set[str]) -> None:
    """Of several users, each keeps rows of its own; of nobody, there is nothing."""
    query = ActivityQuery(since=DAY + 1, until=EVER, users=frozenset(users))
    theirs = [each for each in CROWD if each.user in users and each.day > DAY]
    assert list(await crowded.activity(query)) == counting.activity(theirs, {"user"})


async def test_rows_of_users_with_odd_names(own_crowded: Store) -> None:
    """A name is taken as it is: one ends neither at a NUL nor at a quote."""
    names = ("nul\0one", "nul\0two", "nul", "quote\"'", "\u202eback")
    calls = [generation(number, user=name) for number, name in enumerate(names, start=900_000)]
    await own_crowded.apply(records(*calls, writer="odd"))
    query = ActivityQuery(since=0, until=EVER, users=frozenset(names[:1] + names[3:]))
    theirs = [each for each in calls if each.user in (query.users or ())]
    assert list(await own_crowded.activity(query)) == counting.activity(theirs, {"user"})


@pytest.mark.parametrize(
    "tenants", [None, frozenset({"app"}), frozenset()], ids=["all", "app", "none"]
)
async def test_hours(crowded: Store, tenants: frozenset[str] | None) -> None:
    """Each hour of the range, both ends included, has a row a tenant, model and provider."""
    since, until = (DAY + 1) * 24 + 5, (DAY + 3) * 24 + 4
    expected = counting.hours(
        each
        for each in CROWD
        if since <= each.created_at // 3_600_000_000 <= until
        and (tenants is None or each.tenant in tenants)
    )
    assert list(await crowded.hours(since, until, tenants)) == expected


async def test_hours_expire(own_crowded: Store) -> None:
    """Hours are forgotten with their generations, and not with the rows of days."""
    await own_crowded.expire((DAY + 2) * MICROSECONDS, DAY + 4)
    left = [each for each in CROWD if each.day >= DAY + 2]
    assert list(await own_crowded.hours(0, EVER * 24, None)) == counting.hours(left)


@pytest.mark.parametrize(
    "tenants", [None, frozenset({"app"}), frozenset()], ids=["all", "app", "none"]
)
async def test_active_users(own_crowded: Store, tenants: frozenset[str] | None) -> None:
    """A user counts once a day and tenant, however often it calls and in however many batches."""
    await own_crowded.apply(records(generation(900, user="user_1"), writer="late"))
    late = [*CROWD, generation(900, user="user_1")]
    expected = counting.active_users(
        each for each in late if each.day <= DAY + 3 and (tenants is None or each.tenant in tenants)
    )
    assert await own_crowded.active_users(DAY, DAY + 3, tenants) == expected


async def test_active_users_are_erased(own_crowded: Store) -> None:
    """Whoever is erased is none of a day's users any more; a day without any is left out."""
    lonely = generation(900, day=DAY + 200, user="lonely")
    await own_crowded.apply(records(lonely, writer="late"))
    await own_crowded.erase("app", "lonely")
    await own_crowded.erase("app", "user_1")
    left = [each for each in CROWD if (each.tenant, each.user) != ("app", "user_1")]
    assert await own_crowded.active_users(0, EVER, None) == counting.active_users(left)


async def test_active_users_expire(own_crowded: Store) -> None:
    """The count of a day is forgotten with its rows."""
    await own_crowded.expire(0, DAY + 2)
    left = counting.active_users(each for each in CROWD if each.day >= DAY + 2)
    assert await own_crowded.active_users(0, EVER, None) == left
