"""The tables, and how a file gets from one version of them to the next."""

import os
import sqlite3
from pathlib import Path

STANDINGS = {
    "user": "user",
    "cost": "cost",
    "requests": "requests",
    "tokens": "(prompt_tokens + completion_tokens)",
    "errors": "errors",
    "flags": "flags",
    "active_days": "active_days",
    "last_seen": "last_seen",
    "requests_per_day": "(requests * 1.0 / active_days)",
    "tokens_per_request": "((prompt_tokens + completion_tokens) * 1.0 / requests)",
    "latency": "(latency_ms * 1.0 / requests)",
}
"""What users of a month are ordered by; the indexes are on these very expressions."""

_MONTH_OF_DAY = (
    "(strftime('%Y', day * 86400, 'unixepoch') - 1970) * 12"
    " + strftime('%m', day * 86400, 'unixepoch') - 1"
)
_DAY_OF_MONTH = "CAST(strftime('%d', day * 86400, 'unixepoch') AS INTEGER)"


def _bar(counter: str) -> str:
    """`store.bar_of` in SQL."""
    return f"iif({counter} > 0, length({counter}) * 10 + substr({counter}, 1, 1), 0)"


MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        # One row a generation. The columns are what lists filter by; `record` is all of it, JSON.
        """
        CREATE TABLE generations (
            id TEXT NOT NULL PRIMARY KEY,
            created_at INTEGER NOT NULL,
            tenant TEXT NOT NULL,
            user TEXT,
            model TEXT,
            provider TEXT,
            status INTEGER NOT NULL,
            outcome TEXT NOT NULL,
            flags INTEGER NOT NULL,
            upstream_id TEXT,
            record BLOB NOT NULL
        )
        """,
        "CREATE INDEX generations_newest ON generations (created_at, id)",
        "CREATE INDEX generations_by_tenant ON generations (tenant, created_at, id)",
        """
        CREATE INDEX generations_by_user ON generations (user, created_at, id)
        WHERE user IS NOT NULL
        """,
        """
        CREATE INDEX generations_by_upstream_id ON generations (upstream_id)
        WHERE upstream_id IS NOT NULL
        """,
        # Counters per end user. A key column is '' where there was no user, model or provider.
        """
        CREATE TABLE activity (
            day INTEGER NOT NULL,
            tenant TEXT NOT NULL,
            user TEXT NOT NULL,
            model TEXT NOT NULL,
            provider TEXT NOT NULL,
            requests INTEGER NOT NULL,
            errors INTEGER NOT NULL,
            flags INTEGER NOT NULL,
            prompt_tokens INTEGER NOT NULL,
            completion_tokens INTEGER NOT NULL,
            reasoning_tokens INTEGER NOT NULL,
            cached_tokens INTEGER NOT NULL,
            cost INTEGER NOT NULL,
            cache_discount INTEGER NOT NULL,
            latency_ms INTEGER NOT NULL,
            first_seen INTEGER NOT NULL,
            last_seen INTEGER NOT NULL,
            PRIMARY KEY (day, tenant, user, model, provider)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX activity_by_user ON activity (user, tenant, day)",
        # The same counters without users, so that totals cost nothing with a million of them.
        """
        CREATE TABLE totals (
            day INTEGER NOT NULL,
            tenant TEXT NOT NULL,
            model TEXT NOT NULL,
            provider TEXT NOT NULL,
            requests INTEGER NOT NULL,
            errors INTEGER NOT NULL,
            flags INTEGER NOT NULL,
            prompt_tokens INTEGER NOT NULL,
            completion_tokens INTEGER NOT NULL,
            reasoning_tokens INTEGER NOT NULL,
            cached_tokens INTEGER NOT NULL,
            cost INTEGER NOT NULL,
            cache_discount INTEGER NOT NULL,
            latency_ms INTEGER NOT NULL,
            PRIMARY KEY (day, tenant, model, provider)
        ) WITHOUT ROWID
        """,
        # How far each journal was applied, and the last day that got a count from it.
        """
        CREATE TABLE writers (
            writer TEXT NOT NULL PRIMARY KEY,
            sequence INTEGER NOT NULL,
            day INTEGER NOT NULL
        ) WITHOUT ROWID
        """,
        # The first day of which nothing was forgotten; always one row.
        "CREATE TABLE retention (complete_from INTEGER NOT NULL)",
        "INSERT INTO retention VALUES (0)",
    ),
    (
        # What the list is filtered by, so that a rare or a mistyped value is found or missed at
        # once. Most calls are fine: those need no entry.
        "CREATE INDEX generations_by_model ON generations (model, created_at, id)",
        "CREATE INDEX generations_by_provider ON generations (provider, created_at, id)",
        """
        CREATE INDEX generations_by_outcome ON generations (outcome, created_at, id)
        WHERE outcome <> 'ok'
        """,
        """
        CREATE INDEX generations_by_status ON generations (status, created_at, id)
        WHERE status <> 200
        """,
        "CREATE INDEX generations_flagged ON generations (created_at, id) WHERE flags > 0",
        # Counters per end user and calendar month, so that any board or sorted page of users is
        # the beginning of an index. `days` has a bit for each day of the month with a request.
        """
        CREATE TABLE months (
            month INTEGER NOT NULL,
            tenant TEXT NOT NULL,
            user TEXT NOT NULL,
            requests INTEGER NOT NULL,
            errors INTEGER NOT NULL,
            flags INTEGER NOT NULL,
            prompt_tokens INTEGER NOT NULL,
            completion_tokens INTEGER NOT NULL,
            reasoning_tokens INTEGER NOT NULL,
            cached_tokens INTEGER NOT NULL,
            cost INTEGER NOT NULL,
            cache_discount INTEGER NOT NULL,
            latency_ms INTEGER NOT NULL,
            first_seen INTEGER NOT NULL,
            last_seen INTEGER NOT NULL,
            days INTEGER NOT NULL,
            active_days INTEGER NOT NULL,
            PRIMARY KEY (month, tenant, user)
        ) WITHOUT ROWID
        """,
        *(
            f"CREATE INDEX months_by_{order} ON months (month, tenant, {value} DESC, user)"
            for order, value in STANDINGS.items()
            if order != "user"
        ),
        # How many users' counters have how many digits and which one first; see `Bar`.
        """
        CREATE TABLE spreads (
            month INTEGER NOT NULL,
            tenant TEXT NOT NULL,
            measure TEXT NOT NULL,
            bar INTEGER NOT NULL,
            users INTEGER NOT NULL,
            PRIMARY KEY (month, tenant, measure, bar)
        ) WITHOUT ROWID
        """,
        f"""
        INSERT INTO months
        SELECT {_MONTH_OF_DAY}, tenant, user,
            sum(requests), sum(errors), sum(flags), sum(prompt_tokens), sum(completion_tokens),
            sum(reasoning_tokens), sum(cached_tokens), sum(cost), sum(cache_discount),
            sum(latency_ms), min(first_seen), max(last_seen),
            sum(DISTINCT 1 << ({_DAY_OF_MONTH})), count(DISTINCT day)
        FROM activity GROUP BY 1, tenant, user
        """,
        *(
            f"INSERT INTO spreads SELECT month, tenant, '{measure}', {_bar(measure)}, count(*)"
            " FROM months GROUP BY 1, 2, 3, 4"
            for measure in ("requests", "cost")
        ),
    ),
)


class TooNew(sqlite3.DatabaseError):
    """The file was written by a later Hearth."""


def connect(path: Path) -> sqlite3.Connection:
    """Open the file for use from any one thread at a time, transactions are explicit.

    `synchronous=FULL` syncs the write-ahead log on every commit: journals are deleted on the word
    of a commit, so it must outlive a power cut (sqlite.org/pragma.html#pragma_synchronous). A
    batch shares one sync.
    """
    db = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA cache_size = -32768")
    return db


def prepare(path: Path) -> None:
    """Create the file, for its owner's eyes only, or bring it up to date. Raises sqlite3.Error."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    db = connect(path)
    try:
        db.execute("BEGIN IMMEDIATE")
        with db:
            _migrate(db)
    finally:
        db.close()


def _migrate(db: sqlite3.Connection) -> None:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise TooNew(f"made by a later Hearth: version {version}, known up to {len(MIGRATIONS)}")
    for migration in MIGRATIONS[version:]:
        for statement in migration:
            db.execute(statement)
    db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
