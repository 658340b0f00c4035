"""Users over any range of days, in any order, against counting the plainest way."""

import msgspec
import pytest

from gateway.generation import Generation
from gateway.ledger.queries import UserQuery
from gateway.ledger.results import UserRow
from gateway.ledger.store import Store
from tests.parts import counting
from tests.parts.crowds import NEXT_MONTH, ORDERS, RANGES, crowd
from tests.parts.generations import DAY, generation, records

CROWD = crowd()


def within(since: int, until: int, tenants: frozenset[str] | None = None) -> list[Generation]:
    """Those of the crowd on these days, of these tenants."""
    return [
        each
        for each in CROWD
        if since <= each.day <= until and (tenants is None or each.tenant in tenants)
    ]


@pytest.mark.parametrize("tenants", [None, frozenset({"app"})], ids=["all", "app"])
@pytest.mark.parametrize("span", RANGES)
async def test_orders(crowded: Store, span: str, tenants: frozenset[str] | None) -> None:
    """Whatever the range and the order, the first are first, each with its counters and times."""
    since, until = RANGES[span]
    for order in ORDERS:
        for limit in (1, 5, 999):
            query = msgspec.convert(
                {"since": since, "until": until, "order": order, "limit": limit}, UserQuery
            )
            query = msgspec.structs.replace(query, tenants=tenants)
            expected = counting.users(within(since, until, tenants), order)[:limit]
            assert list(await crowded.users(query)) == expected


@pytest.mark.parametrize("order", ORDERS)
async def test_pages(crowded: Store, order: str) -> None:
    """Pages by offset neither repeat nor miss a user, equals and zeros included."""
    since, until = RANGES["a month and some days"]
    query = msgspec.convert({"since": since, "until": until, "order": order, "limit": 7}, UserQuery)
    expected = counting.users(within(since, until), order)
    paged = [
        row
        for offset in range(0, len(expected) + 7, 7)
        for row in await crowded.users(msgspec.structs.replace(query, offset=offset))
    ]
    assert paged == expected


async def test_named_user(crowded: Store) -> None:
    """A named user comes alone, once for each tenant that has it, with what the range holds."""
    since, until = RANGES["over the end of a month"]
    rows = await crowded.users(UserQuery(since=since, until=until, user="user_0"))
    named = [each for each in within(since, until) if each.user == "user_0"]
    assert list(rows) == counting.users(named)


@pytest.mark.parametrize("span", RANGES)
async def test_everyone(crowded: Store, span: str) -> None:
    """Read some at a time, users come by tenant and name, each with what the range holds."""
    since, until = RANGES[span]
    rows = [row async for some in crowded.everyone(since, until) for row in some]
    assert rows == sorted(counting.users(within(since, until)), key=_name)


async def test_everyone_while_counts_change(own_crowded: Store) -> None:
    """Nobody is left out or comes twice because a user, maybe the last, calls in between."""
    many = [generation(number, user=f"many_{number}") for number in range(10_000, 12_100)]
    for start in range(0, len(many), 700):
        await own_crowded.apply(records(*many[start : start + 700], first=start + 1, writer="many"))
    met: list[tuple[str, str]] = []
    async for rows in own_crowded.everyone(0, 99_999):
        met += map(_name, rows)
        late = generation(20_000 + len(met), user=many[-1].user, cost=10**9)
        await own_crowded.apply(records(late, writer=f"late-{len(met)}"))
    assert met == [_name(row) for row in sorted(counting.users([*CROWD, *many]), key=_name)]


def _name(row: UserRow) -> tuple[str, str]:
    return row.tenant, row.user or ""


async def test_user_of_past_months_only(own_crowded: Store) -> None:
    """Whoever led a month that the range only touches does not lead the range by it."""
    last = NEXT_MONTH - 1
    await own_crowded.apply(
        records(generation(1, day=last - 1, user="rich", cost=10**9), writer="late")
    )
    (first,) = await own_crowded.users(UserQuery(since=last, until=last + 9, limit=1))
    assert first.user != "rich"


async def test_users_of_a_cut_month(own_crowded: Store) -> None:
    """Where days of a month are forgotten, its users have what is left of it."""
    await own_crowded.expire(0, NEXT_MONTH + 10)
    for order in ORDERS:
        query = msgspec.convert({"since": 0, "until": 99_999, "order": order}, UserQuery)
        expected = counting.users(within(NEXT_MONTH + 10, 99_999), order)[:100]
        assert list(await own_crowded.users(query)) == expected


async def test_before_what_is_kept(own_crowded: Store) -> None:
    """Of days that are forgotten nothing is told, also where the rest of their month is kept."""
    await own_crowded.expire(0, DAY + 5)
    for user in (None, "user_0"):
        assert await own_crowded.users(UserQuery(since=DAY, until=DAY + 3, user=user)) == []


async def test_none_wanted(crowded: Store) -> None:
    """A page without rows, and one behind the last user, are empty."""
    assert await crowded.users(UserQuery(since=0, until=99_999, limit=0)) == []
    assert await crowded.users(UserQuery(since=0, until=99_999, offset=9_999)) == []
