"""Version 1: generations, and what they add up to by day."""

STATEMENTS = (
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
)
