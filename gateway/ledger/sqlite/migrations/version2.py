"""Version 2: users by calendar month, and lists by whatever they are filtered by."""

from gateway.ledger.sqlite.orders import ORDERS

_MONTH_OF_DAY = (
    "(strftime('%Y', day * 86400, 'unixepoch') - 1970) * 12"
    " + strftime('%m', day * 86400, 'unixepoch') - 1"
)
_DAY_OF_MONTH = "CAST(strftime('%d', day * 86400, 'unixepoch') AS INTEGER)"


def _bar(counter: str) -> str:
    """`spread.bar_of` in SQL."""
    return f"iif({counter} > 0, length({counter}) * 10 + substr({counter}, 1, 1), 0)"


STATEMENTS = (
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
        for order, value in ORDERS.items()
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
)
