"""Everyone of a range of days: every store looks through all and tells the same page of them."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any, get_args

import msgspec

from gateway.generation import Generation
from gateway.ledger.conditions import Comparison, Condition, Junction, Measure
from gateway.ledger.queries import SearchPage, UserSearch
from gateway.ledger.results import UserRow
from gateway.ledger.store import Store
from tests.parts import counting, crowds
from tests.parts.crowds import NEXT_MONTH, crowd
from tests.parts.generations import DAY, generation

CROWD = crowd()
RANGES = {**crowds.RANGES, "no day": (DAY, DAY - 1)}
TENANTS = (None, frozenset({"app"}), frozenset[str]())
TOP = SearchPage(order="last_seen", limit=999)

Says = Callable[[UserRow], bool]


def people(
    since: int, until: int, tenants: frozenset[str] | None = None, says: Says = lambda row: True
) -> list[UserRow]:
    """Whoever is meant, counted the plainest way."""
    some = [each for each in CROWD if since <= each.day <= until]
    kept = [each for each in some if tenants is None or each.tenant in tenants]
    return [row for row in counting.users(kept) if says(row)]


def ordered(rows: Sequence[UserRow], key: Callable[[UserRow], Any], up: bool) -> list[UserRow]:
    by_name = sorted(rows, key=lambda row: (row.tenant, row.user or ""))
    return sorted(by_name, key=key, reverse=not up)


KEYS: dict[Measure, Callable[[UserRow], Any]] = {
    "user": lambda row: row.user or "",
    "usd": counting.VALUES["cost"],
    "requests": counting.VALUES["requests"],
    "prompt_tokens": lambda row: row.counts.prompt_tokens,
    "completion_tokens": lambda row: row.counts.completion_tokens,
    "active_days": counting.VALUES["active_days"],
    "first_seen": lambda row: row.first_seen,
    "last_seen": counting.VALUES["last_seen"],
    "requests_per_day": counting.VALUES["requests_per_day"],
    "tokens_per_request": counting.VALUES["tokens_per_request"],
}


async def test_ranges(crowded: Store) -> None:
    """Whatever the range, everyone is there once, with exact sums."""
    for (since, until), tenants in product(RANGES.values(), TENANTS):
        found = await crowded.search_users(
            UserSearch(since=since, until=until, tenants=tenants), TOP
        )
        expected = people(since, until, tenants)
        assert found.rows == ordered(expected, KEYS["last_seen"], up=False)
        assert found.count == len(expected)


async def test_orders(crowded: Store) -> None:
    """Whatever they are ordered by, equals stand by tenant and user."""
    for name in ("a month and some days", "all"):
        since, until = RANGES[name]
        expected = people(since, until)
        for order, up in product(get_args(Measure), (True, False)):
            page = SearchPage(order=order, ascending=up, limit=999)
            found = await crowded.search_users(UserSearch(since=since, until=until), page)
            assert found.rows == ordered(expected, KEYS[order], up)


async def test_pages(crowded: Store) -> None:
    """A page is a piece of the whole; the count is of all, also behind the last."""
    query = UserSearch(since=0, until=99_999)
    expected = ordered(people(0, 99_999), KEYS["usd"], up=False)
    for offset in (0, 7, len(expected), 9_999):
        found = await crowded.search_users(query, SearchPage(order="usd", limit=7, offset=offset))
        assert (found.rows, found.count) == (expected[offset : offset + 7], len(expected))
    assert (await crowded.search_users(query, SearchPage(order="usd", limit=0))).rows == []


def _is_user_1x(row: UserRow) -> bool:
    return (row.user or "").startswith("user_1") and len(row.user or "") == 7


CONDITIONS: dict[str, tuple[Condition, Says]] = {
    "=": (Comparison("user", "=", "user_1"), lambda row: row.user == "user_1"),
    "= nobody": (Comparison("user", "=", ""), lambda row: row.user is None),
    "<>": (Comparison("user", "<>", "user_1"), lambda row: row.user != "user_1"),
    "like": (Comparison("user", "like", "user_1_"), _is_user_1x),
    "like cares": (Comparison("user", "like", "USER%"), lambda row: False),
    "ilike": (Comparison("user", "ilike", "USER%"), lambda row: (row.user or "")[:4] == "user"),
    "no class": (Comparison("user", "like", "[u]%"), lambda row: False),
    "wild": (Comparison("user", "like", "a/b?c"), lambda row: row.user == "a/b?c"),
    "contains": (Comparison("user", "contains", "R_2"), lambda row: "r_2" in (row.user or "")),
    "lacks": (Comparison("user", "lacks", "USER"), lambda row: "user" not in (row.user or "")),
    "usd": (Comparison("usd", ">=", 1e-6), lambda row: row.counts.cost >= 1000),
    "usd exactly": (Comparison("usd", "=", 0.000012345), lambda row: row.counts.cost == 12_345),
    "mean": (
        Comparison("requests_per_day", ">", 1),
        lambda row: row.counts.requests > row.active_days,
    ),
    "all": (
        Junction((Comparison("requests", ">=", 3), Comparison("active_days", "<", 9.5))),
        lambda row: row.counts.requests >= 3 and row.active_days < 9.5,
    ),
    "any": (
        Junction((Comparison("requests", ">", 30), Comparison("last_seen", "<", DAY)), True),
        lambda row: row.counts.requests > 30,
    ),
    "none of none": (Junction((), is_any=True), lambda row: False),
    "nested": (
        Junction(
            (Junction((Comparison("requests", "=", 1), Comparison("user", "=", "Zoë")), True),)
        ),
        lambda row: row.counts.requests == 1 or row.user == "Zoë",
    ),
}


async def test_conditions(crowded: Store) -> None:
    """Tests on sums, ids and means hold as their operators say, joined as they are."""
    for name, (condition, says) in product(("a month and some days", "all"), CONDITIONS.values()):
        since, until = RANGES[name]
        query = UserSearch(since=since, until=until, condition=condition)
        expected = people(since, until, says=says)
        assert (await crowded.search_users(query, TOP)).rows == ordered(
            expected, KEYS["last_seen"], False
        )


async def test_quantities(crowded: Store) -> None:
    """What each has, the least first; of those meant only."""
    condition, says = CONDITIONS["all"]
    for query, rows in (
        (UserSearch(since=0, until=99_999), people(0, 99_999)),
        (UserSearch(since=0, until=99_999, condition=condition), people(0, 99_999, says=says)),
        (UserSearch(since=DAY, until=DAY - 1), []),
    ):
        found = await crowded.distribution(query)
        assert list(found.requests) == sorted(row.counts.requests for row in rows)
        assert list(found.cost) == sorted(row.counts.cost for row in rows)


async def test_named(crowded: Store) -> None:
    """Only the users named, of each tenant that has them; the empty id is that of calls without."""
    users = frozenset({"user_0", "user_3", "", "nobody"})
    for since, until in RANGES.values():
        found = await crowded.search_users(UserSearch(since=since, until=until, users=users), TOP)
        expected = people(since, until, says=lambda row: (row.user or "") in users)
        assert found.rows == ordered(expected, KEYS["last_seen"], up=False)


async def test_extra_rows(crowded: Store) -> None:
    """Rows of other days are added to who is there already, and are there where nobody is."""
    outside: list[Generation] = [each for each in CROWD if each.day > NEXT_MONTH]
    outside += [generation(9_000, day=NEXT_MONTH + 1, user="stranger")]
    query = UserSearch(since=DAY + 2, until=NEXT_MONTH, extra=counting.users(outside))
    within = [each for each in CROWD if DAY + 2 <= each.day <= NEXT_MONTH]
    expected = counting.users([*within, *outside])
    assert (await crowded.search_users(query, TOP)).rows == ordered(
        expected, KEYS["last_seen"], up=False
    )
    alone = msgspec.structs.replace(query, since=DAY, until=DAY - 1)
    found = await crowded.search_users(alone, TOP)
    assert found.rows == ordered(counting.users(outside), KEYS["last_seen"], up=False)


async def test_cut_month(own_crowded: Store) -> None:
    """Where days of a month are forgotten, its users have what is left of it."""
    await own_crowded.expire(0, NEXT_MONTH + 10)
    found = await own_crowded.search_users(UserSearch(since=0, until=99_999), TOP)
    expected = people(NEXT_MONTH + 10, 99_999)
    assert found.rows == ordered(expected, KEYS["last_seen"], up=False)
