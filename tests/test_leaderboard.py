"""Users of a month in any order, against counting the plainest way."""

import random
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from gateway.calendar import day_number, first_day, month_of
from gateway.generation import Generation, Usage
from gateway.ledger.queries import LeaderboardQuery, UserQuery
from gateway.ledger.sqlite import leaderboard, schema
from gateway.ledger.sqlite.orders import ORDERS
from gateway.ledger.store import Store
from tests.parts import counting
from tests.parts.generations import DAY, MICROSECONDS, generation, records
from tests.parts.stores import STORES

MONTH = month_of(DAY)


def crowd(size: int = 300) -> list[Generation]:
    """Calls of users of two tenants over three months, with many equals."""
    chance = random.Random(7)
    return [
        generation(
            number,
            day=DAY + chance.randrange(60),
            tenant=chance.choice(("app", "app", "other")),
            user=chance.choice(
                (None, *(f"user_{n}" for n in range(25)), "Zoë", "a/b?c", "\U0010ffff!")
            ),
            cost=chance.choice((0, 7, 1000, 12_345_678)),
            latency_ms=chance.randrange(50),
            usage=Usage(prompt_tokens=chance.randrange(40), completion_tokens=5),
            outcome=chance.choice(("ok", "ok", "failed")),
        )
        for number in range(size)
    ]


CROWD = crowd()


@pytest.mark.parametrize("tenant", [None, "app"])
@pytest.mark.parametrize("order", counting.VALUES)
async def test_order(crowded: Store, order: str, tenant: str | None) -> None:
    """Highest first, equals by tenant and user; ascending is exactly the reverse."""
    tenants = None if tenant is None else frozenset({tenant})
    query = msgspec.convert({"month": MONTH, "order": order, "limit": 999}, LeaderboardQuery)
    query = msgspec.structs.replace(query, tenants=tenants)
    value = counting.VALUES[order]
    expected = sorted(counting.of_month(CROWD, MONTH, tenant), key=lambda row: -value(row))
    assert list(await crowded.leaderboard(query)) == expected
    reverse = msgspec.structs.replace(query, ascending=True)
    assert list(await crowded.leaderboard(reverse)) == expected[::-1]


@pytest.mark.parametrize("prefix", ["", "user_"])
async def test_order_of_ids(crowded: Store, prefix: str) -> None:
    """By user, ids come in the order of their code points, whichever key they are of."""
    query = LeaderboardQuery(month=MONTH, order="user", prefix=prefix, limit=999)
    rows = [
        row for row in counting.of_month(CROWD, MONTH, None) if (row.user or "").startswith(prefix)
    ]
    expected = sorted(rows, key=lambda row: (row.user or "", row.tenant))
    assert list(await crowded.leaderboard(query)) == expected
    reverse = msgspec.structs.replace(query, ascending=True, offset=3)
    assert list(await crowded.leaderboard(reverse)) == expected[::-1][3:]


async def test_the_last_month(crowded: Store) -> None:
    """Nobody called in December 9999, which may be asked for all the same."""
    last = day_number("9999-12-31")
    assert list(await crowded.leaderboard(LeaderboardQuery(month=month_of(last)))) == []
    until_then = UserQuery(since=DAY, until=last, limit=999)
    everyone = {(one.tenant, one.user) for one in CROWD}
    assert {(row.tenant, row.user) for row in await crowded.users(until_then)} == everyone


async def test_pages(crowded: Store) -> None:
    """Pages by offset neither repeat nor miss a user."""
    pages = [
        row
        for offset in range(0, 70, 9)
        for row in await crowded.leaderboard(LeaderboardQuery(month=MONTH, limit=9, offset=offset))
    ]
    whole = await crowded.leaderboard(LeaderboardQuery(month=MONTH, limit=999))
    assert pages == list(whole)


@pytest.mark.parametrize("prefix", ["user_1", "Z", "a/", "\U0010ffff", "%", "nobody"])
async def test_prefix(crowded: Store, prefix: str) -> None:
    """Only ids that begin with it, letter for letter, in the order asked for."""
    rows = await crowded.leaderboard(LeaderboardQuery(month=MONTH, prefix=prefix, limit=999))
    expected = [
        row for row in counting.of_month(CROWD, MONTH, None) if (row.user or "").startswith(prefix)
    ]
    assert list(rows) == sorted(expected, key=lambda row: -row.counts.cost)


async def test_expiry(own_crowded: Store) -> None:
    """A month is forgotten, spread and all, when its last day is; one partly kept stays."""
    await own_crowded.expire(0, first_day(MONTH + 1))
    assert await own_crowded.leaderboard(LeaderboardQuery(month=MONTH)) == []
    assert (await own_crowded.spread(MONTH, None)).requests == ()
    await own_crowded.expire(0, first_day(MONTH + 2) - 1)
    assert len(await own_crowded.leaderboard(LeaderboardQuery(month=MONTH + 1))) > 9


async def test_tenant_of_expired_days_only(own_crowded: Store) -> None:
    """A month that is partly kept has all its users, also those of a key that is silent since."""
    last = first_day(MONTH + 2) - 1
    old = generation(900, day=last - 3, tenant="old", user="user_1")
    new = generation(901, day=last, user="user_1")
    await own_crowded.apply(records(old, new, writer="late"))
    await own_crowded.expire(last * MICROSECONDS, last)
    rows = await own_crowded.leaderboard(LeaderboardQuery(month=MONTH + 1, limit=999))
    expected = counting.of_month([*CROWD, old, new], MONTH + 1, None)
    assert list(rows) == sorted(expected, key=lambda row: -row.counts.cost)


@pytest.mark.heavy
async def test_busy_users_among_the_others(tmp_path: Path) -> None:
    """A user who calls again keeps the place it has earned, in every order and both ways."""
    crowd = [generation(n, user=f"user_{n:05}", cost=n % 97) for n in range(16_100)]
    again = [generation(n, user=f"user_{n % 7:05}", cost=n) for n in range(17_000, 17_030)]
    async with STORES["sqlite"](tmp_path) as store:
        await store.apply(records(*crowd))
        await store.apply(records(*again, first=20_000))
        assert _busy(tmp_path) == 7
        rows = counting.of_month([*crowd, *again], MONTH, None)
        for order, value in counting.VALUES.items():
            query = msgspec.convert({"month": MONTH, "order": order, "limit": 60}, LeaderboardQuery)
            expected = sorted(rows, key=lambda row: -value(row))
            assert list(await store.leaderboard(query)) == expected[:60]
            reverse = msgspec.structs.replace(query, ascending=True)
            assert list(await store.leaderboard(reverse)) == expected[:-61:-1]


def _busy(folder: Path) -> int:
    """How many users SQLite has to sort."""
    with closing(schema.connect(folder / "hearth.db")) as db:
        [count] = db.execute("SELECT count(*) FROM months WHERE hot = 1").fetchone()
        return int(count)


async def test_busy_users_put_back_meanwhile(tmp_path: Path) -> None:
    """Nobody is missed while all busy users go back among the others."""
    async with STORES["sqlite"](tmp_path) as store:
        await store.apply(records(*CROWD[:30]))
    path = tmp_path / "hearth.db"
    with closing(schema.connect(path)) as reader, closing(schema.connect(path)) as writer:

        def put_back(statement: str) -> None:
            if "hot = 1" in statement:
                writer.execute("UPDATE months SET hot = 0")

        reader.set_trace_callback(put_back)
        rows = leaderboard.leaderboard(reader, LeaderboardQuery(month=MONTH, limit=99))
    expected = counting.of_month(CROWD[:30], MONTH, None)
    assert rows == sorted(expected, key=lambda row: -row.counts.cost) != []


@pytest.mark.heavy
async def test_prefix_of_very_many(tmp_path: Path) -> None:
    """Where sorting all that match would take long, the order is walked; the page is the same."""
    crowd = [generation(n, user=f"user_{n % 10_500}\U0010ffff!", cost=n) for n in range(10_600)]
    async with STORES["sqlite"](tmp_path) as store:
        await store.apply(records(*crowd))
        query = LeaderboardQuery(month=MONTH, prefix="user_", offset=50, limit=40)
        rows = sorted(counting.of_month(crowd, MONTH, None), key=lambda row: -row.counts.cost)
        assert list(await store.leaderboard(query)) == rows[50:90]
        query = msgspec.structs.replace(query, prefix="user_104")
        some = [row for row in rows if (row.user or "").startswith("user_104")]
        assert list(await store.leaderboard(query)) == some[50:90]


@pytest.mark.parametrize("ascending", [False, True])
@pytest.mark.parametrize("order", [order for order in ORDERS if order != "user"])
def test_order_is_an_index(tmp_path: Path, order: str, ascending: bool) -> None:
    """Whatever the order, SQLite walks an index; it only sorts the few busy users."""
    schema.prepare(tmp_path / "hearth.db")
    query = msgspec.convert(
        {"month": MONTH, "order": order, "ascending": ascending, "tenants": ["app"]},
        LeaderboardQuery,
    )
    asked: list[str] = []
    with closing(schema.connect(tmp_path / "hearth.db")) as db:
        db.execute("INSERT INTO lists VALUES ('app', '', '', 0)")
        db.set_trace_callback(asked.append)
        leaderboard.leaderboard(db, query)
        db.set_trace_callback(None)
        others, busy = (
            " ".join(row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {each}"))
            for each in asked
            if "FROM months" in each
        )
    assert f"months_by_{order}" in others
    assert "TEMP B-TREE" not in others
    assert "months_hot" in busy
