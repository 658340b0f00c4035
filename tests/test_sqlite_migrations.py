"""Files of earlier versions are brought up to date with all that is in them."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from gateway.calendar import month_of
from gateway.generation import Generation
from gateway.ledger.counts import COUNTERS, Counts
from gateway.ledger.named import named
from gateway.ledger.queries import ActivityQuery, GenerationQuery, LeaderboardQuery, UserQuery
from gateway.ledger.sqlite.migrations import MIGRATIONS
from tests.parts import counting
from tests.parts.crowds import crowd
from tests.parts.generations import DAY, generation, records
from tests.parts.stores import sqlite

EVER = 99_999
OLD = [
    msgspec.structs.replace(each, route=None, moved_from=None, move_cost=0) for each in crowd(200)
]
"""Calls as they were settled before there were routes in the rows, and moves."""

_COUNTERS = COUNTERS[:10]


def write_old_file(path: Path, version: int) -> None:
    """As Hearth left it when that was its version: rows first, then what later ones added."""
    with closing(sqlite3.connect(path)) as db, db:
        for statement in MIGRATIONS[0]:
            db.execute(statement)
        _fill(db, OLD)
        for migration in MIGRATIONS[1:version]:
            for statement in migration:
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {version}")


def _fill(db: sqlite3.Connection, generations: Iterable[Generation]) -> None:
    for each in generations:
        _insert(
            db,
            "generations",
            (
                *(each.id, each.created_at, each.tenant, each.user, each.model, each.provider),
                *(each.status, each.outcome, len(each.flags), each.upstream_id),
                msgspec.json.encode(named(each)),
            ),
        )
    names = ("model", "provider")
    for row in counting.activity(generations, {"user"}):
        own = [each for each in generations if _is_of(each, row.tenant, row.user, row.day)]
        own = [each for each in own if (each.model, each.provider) == (row.model, row.provider)]
        moments = [each.created_at for each in own]
        key = (row.day, row.tenant, row.user or "", *(getattr(row, name) or "" for name in names))
        _insert(db, "activity", (*key, *_old(row.counts), min(moments), max(moments)))
    for row in counting.activity(generations, {"tenant"}):
        key = (row.day, row.tenant, *(getattr(row, name) or "" for name in names))
        _insert(db, "totals", (*key, *_old(row.counts)))
    _insert(db, "writers", ("old", 7, DAY))


def _is_of(one: Generation, tenant: str | None, user: str | None, day: int) -> bool:
    return (one.tenant, one.user, one.day) == (tenant, user, day)


def _old(counts: Counts) -> tuple[int, ...]:
    return tuple(getattr(counts, name) for name in _COUNTERS)


def _insert(db: sqlite3.Connection, table: str, row: tuple[object, ...]) -> None:
    db.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)


@pytest.mark.parametrize("version", [1, 2, 3, 4])
async def test_nothing_is_lost(tmp_path: Path, version: int) -> None:
    """Generations, rows, positions and leaderboards of the old file are those of the new one."""
    write_old_file(tmp_path / "hearth.db", version)
    async with sqlite(tmp_path) as store:
        assert await store.positions(["old"]) == {"old": 7}
        recount = await store.recount()
        assert recount.by_user == recount.by_provider == counting.by_day(OLD)
        assert recount.by_generation == recount.by_user
        rows = await store.activity(ActivityQuery(since=0, until=EVER, by=frozenset({"user"})))
        assert list(rows) == counting.activity(OLD, {"user"})
        assert await store.active_users(0, EVER, None) == counting.active_users(OLD)
        users = await store.users(UserQuery(since=DAY + 9, until=DAY + 50, order="requests"))
        meant = [each for each in OLD if DAY + 9 <= each.day <= DAY + 50]
        assert list(users) == counting.users(meant, "requests")
        month = month_of(DAY) + 1
        expected = counting.users(each for each in OLD if month_of(each.day) == month)
        assert list(await store.leaderboard(LeaderboardQuery(month=month))) == expected
        spread = await store.spread(month, None)
        assert sum(bar.users for bar in spread.cost) == len(expected)
        listed = await store.generations(GenerationQuery(model="large", limit=999))
        large = {one.id: one for one in OLD if one.model == "large"}
        assert {one.id: one for one in listed} == large
        listed = await store.generations(GenerationQuery(user="", limit=999))
        assert {one.id for one in listed} == {one.id for one in OLD if one.user is None}


@pytest.mark.parametrize("version", [1, 2, 3, 4])
async def test_counting_goes_on(tmp_path: Path, version: int) -> None:
    """What comes after is added to what was there."""
    write_old_file(tmp_path / "hearth.db", version)
    new = [
        generation(number, user="user_0", route="home", moved_from="b", move_cost=3)
        for number in range(900, 905)
    ]
    async with sqlite(tmp_path) as store:
        await store.apply(records(*new))
        both = [*OLD, *new]
        rows = await store.activity(ActivityQuery(since=0, until=EVER, by=frozenset({"route"})))
        assert list(rows) == counting.activity(both, {"route"})
        assert list(await store.users(UserQuery(since=0, until=EVER))) == counting.users(both)
        assert await store.active_users(0, EVER, None) == counting.active_users(both)
        assert await store.erase("app", "user_0") > len(new)
        recount = await store.recount()
        assert recount.by_user == recount.by_provider == recount.by_generation
