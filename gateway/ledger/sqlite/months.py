"""Users by calendar month: counted as records are applied, read in any order by index."""

import heapq
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from operator import add, itemgetter
from typing import Any

import msgspec

from gateway.enduser import MAX_USER_ID
from gateway.generation import Generation
from gateway.ledger.months import day_of_month, first_day, month_of
from gateway.ledger.sqlite.reads import Where, user_row
from gateway.ledger.sqlite.schema import STANDINGS
from gateway.ledger.store import COUNTERS, Bar, Counts, Spread, StandingsQuery, UserRow, bar_of

_MEASURES = ("requests", "cost")
_ROW = f"tenant, user, active_days, first_seen, last_seen, {', '.join(COUNTERS)}"
_ADDED = ", ".join(f"{counter} = {counter} + excluded.{counter}" for counter in COUNTERS)

_ADD = f"""
    INSERT INTO months (
        month, tenant, user, {", ".join(COUNTERS)}, first_seen, last_seen, days, active_days
    )
    VALUES (?, ?, ?, {", ".join("?" * len(COUNTERS))}, ?, ?, ?, ?)
    ON CONFLICT (month, tenant, user) DO UPDATE SET {_ADDED},
        first_seen = min(first_seen, excluded.first_seen),
        last_seen = max(last_seen, excluded.last_seen),
        days = excluded.days,
        active_days = excluded.active_days
"""
_MOVE = """
    INSERT INTO spreads (month, tenant, measure, bar, users) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (month, tenant, measure, bar) DO UPDATE SET users = users + excluded.users
"""

_COMMON = 10_000
_LAST = "\U0010ffff" * (MAX_USER_ID + 1)

Key = tuple[int, str, str]
"""Month, tenant, user."""


class _Added:
    """What a batch adds to one user's month."""

    def __init__(self) -> None:
        self.counts: Sequence[int] = (0,) * len(COUNTERS)
        self.moments: list[int] = []
        self.days = 0

    def add(self, generation: Generation) -> None:
        self.counts = tuple(map(add, self.counts, msgspec.structs.astuple(Counts.of(generation))))
        self.moments.append(generation.created_at)
        self.days |= 1 << day_of_month(generation.day)


def add_to_months(db: sqlite3.Connection, generations: Iterable[Generation]) -> None:
    """Count generations that were not counted before; within the caller's transaction."""
    months: dict[Key, _Added] = {}
    for each in generations:
        key = (month_of(each.day), each.tenant, each.user or "")
        months.setdefault(key, _Added()).add(each)
    moves: Counter[tuple[int, str, str, int]] = Counter()
    for key, added in months.items():
        before = db.execute(
            "SELECT requests, cost, days FROM months WHERE (month, tenant, user) = (?, ?, ?)", key
        ).fetchone()
        days = added.days | (before[2] if before else 0)
        first, last = min(added.moments), max(added.moments)
        db.execute(_ADD, (*key, *added.counts, first, last, days, days.bit_count()))
        _move(moves, key, before, added)
    db.executemany(_MOVE, ((*place, users) for place, users in moves.items() if users))


def _move(
    moves: Counter[tuple[int, str, str, int]],
    key: Key,
    before: tuple[int, ...] | None,
    added: _Added,
) -> None:
    """Take the user out of the bars it stood in, put it where it stands now."""
    month, tenant, _ = key
    for index, measure in enumerate(_MEASURES):
        gained = added.counts[COUNTERS.index(measure)]
        if before is not None:
            moves[month, tenant, measure, bar_of(before[index])] -= 1
            gained += before[index]
        moves[month, tenant, measure, bar_of(gained)] += 1


def standings(db: sqlite3.Connection, query: StandingsQuery) -> list[UserRow]:
    """A cursor of each tenant walks the index of the order; merged, they give the page."""
    tenants = _tenants(db, query.month) if query.tenants is None else query.tenants
    cursors = [_standing(db, query, tenant) for tenant in tenants]
    in_order = heapq.merge(*cursors, key=itemgetter(0, 1, 2), reverse=query.ascending)
    page = islice(in_order, query.offset, query.offset + query.limit)
    return [user_row(*row[1:]) for row in page]


def _standing(
    db: sqlite3.Connection, query: StandingsQuery, tenant: str
) -> Iterator[tuple[Any, ...]]:
    where = Where().compare("month", "=", query.month).compare("tenant", "=", tenant)
    if query.prefix:
        # The plus makes SQLite walk the index of the order, not that of the ids.
        plus = "+" if query.order != "user" and _is_common(db, query, tenant) else ""
        _begin_with(where, plus, query.prefix)
    value = STANDINGS[query.order]
    rank = "0" if query.order == "user" else f"-{value}"
    # Naming the values, not the negated ones, is what lets SQLite walk the index.
    ways = ("", "DESC") if query.ascending else ("DESC", "")
    order = f"user {ways[1]}" if query.order == "user" else f"{value} {ways[0]}, user {ways[1]}"
    return db.execute(f"SELECT {rank}, {_ROW} FROM months {where} ORDER BY {order}", where.values)


def _is_common(db: sqlite3.Connection, query: StandingsQuery, tenant: str) -> bool:
    """Whether so many ids begin with the prefix that sorting them would take longer than meeting
    enough of them on the way through all."""
    where = Where().compare("month", "=", query.month).compare("tenant", "=", tenant)
    _begin_with(where, "", query.prefix)
    (found,) = db.execute(
        f"SELECT count(*) FROM (SELECT 1 FROM months {where} LIMIT {_COMMON})", where.values
    ).fetchone()
    return bool(found == _COMMON)


def _begin_with(where: Where, plus: str, prefix: str) -> None:
    """In SQLite's order of code points; no id is longer than the last one there could be."""
    where.compare(f"{plus}user", ">=", prefix)
    where.compare(f"{plus}user", "<", prefix + _LAST)


def _tenants(db: sqlite3.Connection, month: int) -> list[str]:
    """Those with a call in the month; out of the totals, which are few."""
    where = Where().compare("day", ">=", first_day(month)).compare("day", "<", first_day(month + 1))
    return [
        name for (name,) in db.execute(f"SELECT DISTINCT tenant FROM totals {where}", where.values)
    ]


def spread(db: sqlite3.Connection, month: int, tenants: frozenset[str] | None) -> Spread:
    """Out of the counts of users that are kept beside the months."""
    where = Where().compare("month", "=", month).among("tenant", tenants)
    bars: dict[str, list[Bar]] = {"requests": [], "cost": []}
    for measure, bar, users in db.execute(
        f"SELECT measure, bar, sum(users) FROM spreads {where} GROUP BY measure, bar"
        " HAVING sum(users) > 0 ORDER BY bar",
        where.values,
    ):
        bars[measure].append(Bar.of(bar, users))
    return Spread(requests=tuple(bars["requests"]), cost=tuple(bars["cost"]))
