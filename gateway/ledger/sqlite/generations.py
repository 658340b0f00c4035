"""Generations, by id or newest first: walked by index, merged while they are walked."""

import heapq
import re
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from operator import itemgetter

from gateway.generation import Generation
from gateway.ledger.packing import readable
from gateway.ledger.queries import GenerationQuery
from gateway.ledger.sqlite.where import Where

_STATUS = re.compile("[1-5][0-9][0-9]")


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
            return next(readable(row), None)
    return None


def generations(db: sqlite3.Connection, query: GenerationQuery) -> list[Generation]:
    """Newest first, out of the shortest lists that have an index."""
    cursors = [_walk(db, _narrow(where, query)) for where in _lists(db, query)]
    newest = heapq.merge(*cursors, key=itemgetter(0, 1), reverse=True)
    return list(islice(readable(record for _, _, record in newest), query.limit))


def tenants_known(db: sqlite3.Connection, chosen: Collection[str] | None) -> Sequence[str]:
    """Those that have, or had within the retention, a call; only of those chosen."""
    where = Where().among("tenant", chosen)
    rows = db.execute(f"SELECT DISTINCT tenant FROM lists {where}", where.values)
    return [tenant for (tenant,) in rows]


def _walk(db: sqlite3.Connection, where: Where) -> Iterator[tuple[int, str, bytes]]:
    return db.execute(
        f"SELECT created_at, id, record FROM generations {where} ORDER BY created_at DESC, id DESC",
        where.values,
    )


def _lists(db: sqlite3.Connection, query: GenerationQuery) -> Iterator[Where]:
    """Lists that together hold all that is asked for, each with an index; the rarest there are."""
    if query.user is not None:
        for tenant in tenants_known(db, query.tenants):
            yield _of_user(Where().compare("tenant", "=", tenant), query.user)
    elif unusual := _unusual(query):
        yield unusual
    elif (query.tenants, query.model, query.provider) == (None, None, None):
        yield Where()
    else:
        yield from _by_model_and_provider(db, query)


def _of_user(where: Where, user: str) -> Where:
    """Of calls that name nobody where it is empty."""
    return where.compare("user", "=", user) if user else where.require("user IS NULL")


def _unusual(query: GenerationQuery) -> Where | None:
    """Most calls are fine: only what is not has an index, and what it leaves out must be said."""
    status, outcome = _ending(query.status)
    if status not in (None, 200):
        return Where().compare("status", "=", status).require("status <> 200")
    if outcome not in (None, "ok"):
        return Where().compare("outcome", "=", outcome).require("outcome <> 'ok'")
    return Where().require("flags > 0") if query.flagged else None


def _by_model_and_provider(db: sqlite3.Connection, query: GenerationQuery) -> Iterator[Where]:
    where = Where().among("tenant", query.tenants)
    where.compare("model", "=", query.model).compare("provider", "=", query.provider)
    for tenant, model, provider in db.execute(
        f"SELECT tenant, model, provider FROM lists {where}", where.values
    ):
        yield Where().require(
            "tenant = ? AND model IS ? AND provider IS ?", tenant, model or None, provider or None
        )


def _narrow(where: Where, query: GenerationQuery) -> Where:
    """All that is asked for; the plus keeps SQLite on the index of the list."""
    status, outcome = _ending(query.status)
    where.among("+tenant", query.tenants)
    where.compare("+user", "=", query.user or None)
    where.compare("+model", "=", query.model)
    where.compare("+provider", "=", query.provider)
    where.compare("+status", "=", status)
    where.compare("+outcome", "=", outcome)
    if query.flagged is not None:
        where.require("+flags > 0" if query.flagged else "+flags = 0")
    where.compare("created_at", ">=", query.since)
    where.compare("created_at", "<", query.until)
    return where.require("(created_at, id) < (?, ?)", *query.before) if query.before else where


def _ending(status: str | None) -> tuple[int | None, str | None]:
    """A number is an HTTP status, a word is an outcome."""
    if status is not None and _STATUS.fullmatch(status):
        return int(status), None
    return None, status
