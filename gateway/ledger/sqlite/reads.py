"""What is read from the file."""

import heapq
import re
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from operator import add, itemgetter
from typing import Any

import msgspec

from gateway.generation import Generation
from gateway.ledger.store import (
    COUNTERS,
    ActivityQuery,
    ActivityRow,
    Counts,
    GenerationQuery,
    Recount,
    UserQuery,
    UserRow,
)

_SUMS = ", ".join(f"sum({counter})" for counter in COUNTERS)

_ORDERS = {
    "cost": "sum(cost)",
    "requests": "sum(requests)",
    "tokens": "sum(prompt_tokens) + sum(completion_tokens)",
    "errors": "sum(errors)",
    "flags": "sum(flags)",
}

_ZERO = (0,) * len(COUNTERS)

_decode = msgspec.json.Decoder(Generation).decode


class Where:
    """Conditions that all hold, and the values they compare with; None compares with nothing."""

    def __init__(self) -> None:
        self._terms: list[str] = []
        self.values: list[object] = []

    def __str__(self) -> str:
        return f"WHERE {' AND '.join(self._terms)}" if self._terms else ""

    def compare(self, column: str, operator: str, value: object) -> "Where":
        if value is not None:
            self._terms.append(f"{column} {operator} ?")
            self.values.append(value)
        return self

    def require(self, condition: str) -> "Where":
        self._terms.append(condition)
        return self

    def among(self, column: str, choice: Collection[str] | None) -> "Where":
        if choice is not None:
            self._terms.append(f"{column} IN ({', '.join('?' * len(choice))})")
            self.values.extend(sorted(choice))
        return self

    def below(self, columns: str, cursor: tuple[int, str] | None) -> "Where":
        if cursor is not None:
            self._terms.append(f"({columns}) < (?, ?)")
            self.values.extend(cursor)
        return self


def positions(db: sqlite3.Connection, writers: Collection[str]) -> dict[str, int]:
    """Of those writers that were met before."""
    where = Where().among("writer", writers)
    return dict(db.execute(f"SELECT writer, sequence FROM writers {where}", where.values))


def generation(
    db: sqlite3.Connection, generation_id: str, tenants: frozenset[str] | None
) -> Generation | None:
    """By our id, else the newest by the upstream's."""
    for column in ("id", "upstream_id"):
        # The plus keeps SQLite from preferring the index on tenants.
        where = Where().compare(column, "=", generation_id).among("+tenant", tenants)
        row = db.execute(
            f"SELECT record FROM generations {where} ORDER BY created_at DESC, id DESC LIMIT 1",
            where.values,
        ).fetchone()
        if row:
            return _decode(row[0])
    return None


def generations(db: sqlite3.Connection, query: GenerationQuery) -> list[Generation]:
    """Newest first. Each cursor walks one index; several tenants are merged as they are walked."""
    where, has_index = _filters(query)
    if has_index or query.tenants is None:
        cursors = [_walk(db, where.among("+tenant", query.tenants))]
    else:
        cursors = [
            _walk(db, _filters(query)[0].compare("tenant", "=", tenant)) for tenant in query.tenants
        ]
    newest = heapq.merge(*cursors, key=itemgetter(0, 1), reverse=True)
    return [_decode(record) for _, _, record in islice(newest, query.limit)]


def _walk(db: sqlite3.Connection, where: Where) -> Iterator[tuple[int, str, bytes]]:
    return db.execute(
        f"SELECT created_at, id, record FROM generations {where} ORDER BY created_at DESC, id DESC",
        where.values,
    )


def _filters(query: GenerationQuery) -> tuple[Where, bool]:
    """What the rows must be, and whether one of the conditions has an index to walk.

    The first that has one is walked; a plus keeps SQLite from choosing another.
    """
    where, plus = Where(), ""
    for column, value in _equals(query):
        where.compare(plus + column, "=", value)
        if value is not None and (column, value) not in _COMMON and not plus:
            where.require(_PARTIAL.get(column, "TRUE"))
            plus = "+"
    if query.flagged is not None:
        where.require(f"{plus}flags > 0" if query.flagged else "+flags = 0")
    where.compare("created_at", ">=", query.since)
    where.compare("created_at", "<", query.until)
    where.below("created_at, id", query.before)
    return where, bool(plus) or query.flagged is True


_COMMON = {("status", 200), ("outcome", "ok")}
"""What nearly every row is: no index has it."""

_PARTIAL = {"status": "status <> 200", "outcome": "outcome <> 'ok'"}
"""What must be said for SQLite to use an index that leaves something out."""

_STATUS = re.compile("[1-5][0-9][0-9]")


def _equals(query: GenerationQuery) -> tuple[tuple[str, object], ...]:
    """Columns and what they must be, the rarest first."""
    status = query.status
    number = int(status) if status is not None and _STATUS.fullmatch(status) else None
    return (
        ("user", query.user),
        ("status", number),
        ("outcome", None if number else status),
        ("model", query.model),
        ("provider", query.provider),
    )


def activity(db: sqlite3.Connection, query: ActivityQuery) -> list[ActivityRow]:
    """Rows by user come from their own table, the others from the one without users."""
    by_user = query.by_user or query.user is not None
    table = "activity" if by_user else "totals"
    key = ["day", "model", "provider", *(["user", "tenant"] if by_user else [])]
    where = _days(query.since, query.until, query.tenants, query.user)
    rows = db.execute(
        f"SELECT {', '.join(key)}, {_SUMS} FROM {table} {where} GROUP BY {', '.join(key)}"
        f" ORDER BY {', '.join(('day DESC', *key[1:]))}",
        where.values,
    )
    return [_activity_row(row[: len(key)], row[len(key) :]) for row in rows]


def users(db: sqlite3.Connection, query: UserQuery) -> list[UserRow]:
    """Highest first; equals by tenant and user, so that pages do not overlap."""
    where = _days(query.since, query.until, query.tenants, query.user)
    rows = db.execute(
        "SELECT tenant, user, count(DISTINCT day), min(first_seen), max(last_seen),"
        f" {_SUMS} FROM activity {where} GROUP BY tenant, user"
        f" ORDER BY {_ORDERS[query.order]} DESC, tenant, user LIMIT ? OFFSET ?",
        (*where.values, query.limit, query.offset),
    )
    return [user_row(*row) for row in rows]


def recount(db: sqlite3.Connection) -> Recount:
    """All from one snapshot, so that records applied meanwhile do not look like drift."""
    db.execute("BEGIN")
    with db:
        (complete_from,) = db.execute("SELECT complete_from FROM retention").fetchone()
        return Recount(
            by_user=_by_day(db, "activity"),
            by_provider=_by_day(db, "totals"),
            by_generation=_by_generation(db),
            complete_from=complete_from,
        )


def _days(since: int, until: int, tenants: frozenset[str] | None, user: str | None) -> Where:
    where = Where().compare("day", ">=", since).compare("day", "<=", until)
    return where.among("tenant", tenants).compare("user", "=", user)


def _activity_row(key: tuple[Any, ...], counters: tuple[int, ...]) -> ActivityRow:
    day, model, provider, *who = key
    user, tenant = who or (None, None)
    return ActivityRow(
        day=day,
        model=model or None,
        provider=provider or None,
        counts=_counts(counters),
        tenant=tenant,
        user=user or None,
    )


def user_row(
    tenant: str, user: str, days: int, first_seen: int, last_seen: int, *counters: int
) -> UserRow:
    return UserRow(
        tenant=tenant,
        user=user or None,
        counts=_counts(counters),
        active_days=days,
        first_seen=first_seen,
        last_seen=last_seen,
    )


def _counts(counters: Sequence[int]) -> Counts:
    return Counts(**dict(zip(COUNTERS, counters, strict=True)))


def _by_day(db: sqlite3.Connection, table: str) -> dict[int, Counts]:
    rows = db.execute(f"SELECT day, {_SUMS} FROM {table} GROUP BY day")
    return {day: _counts(counters) for day, *counters in rows}


def _by_generation(db: sqlite3.Connection) -> dict[int, Counts]:
    """Out of the full records, not out of anything that was derived from them."""
    sums: dict[int, tuple[int, ...]] = {}
    for (record,) in db.execute("SELECT record FROM generations"):
        single = _decode(record)
        counters = msgspec.structs.astuple(Counts.of(single))
        sums[single.day] = tuple(map(add, sums.get(single.day, _ZERO), counters))
    return {day: _counts(counters) for day, counters in sums.items()}
