"""Version 3: moves, routes and hours; lists by model and provider; boards without the busy users.

Rows of earlier versions have no route and no moves; hours begin with this version.
"""

from gateway.ledger.sqlite.orders import ORDERS

_COUNTERS = """
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
    moves INTEGER NOT NULL,
    move_cost INTEGER NOT NULL
"""
_OLD_COUNTERS = """
    requests, errors, flags, prompt_tokens, completion_tokens, reasoning_tokens, cached_tokens,
    cost, cache_discount, latency_ms
"""

STATEMENTS = (
    # Counters per end user. A key column is '' where there was no user, model, provider or route.
    "DROP INDEX activity_by_user",
    "ALTER TABLE activity RENAME TO activity_2",
    f"""
    CREATE TABLE activity (
        day INTEGER NOT NULL,
        tenant TEXT NOT NULL,
        user TEXT NOT NULL,
        model TEXT NOT NULL,
        provider TEXT NOT NULL,
        route TEXT NOT NULL,
        {_COUNTERS},
        first_seen INTEGER NOT NULL,
        last_seen INTEGER NOT NULL,
        PRIMARY KEY (day, tenant, user, model, provider, route)
    ) WITHOUT ROWID
    """,
    f"""
    INSERT INTO activity
    SELECT day, tenant, user, model, provider, '', {_OLD_COUNTERS}, 0, 0, first_seen, last_seen
    FROM activity_2
    """,
    "DROP TABLE activity_2",
    "ALTER TABLE totals RENAME TO totals_2",
    f"""
    CREATE TABLE totals (
        day INTEGER NOT NULL,
        tenant TEXT NOT NULL,
        model TEXT NOT NULL,
        provider TEXT NOT NULL,
        route TEXT NOT NULL,
        {_COUNTERS},
        PRIMARY KEY (day, tenant, model, provider, route)
    ) WITHOUT ROWID
    """,
    f"""
    INSERT INTO totals
    SELECT day, tenant, model, provider, '', {_OLD_COUNTERS}, 0, 0 FROM totals_2
    """,
    "DROP TABLE totals_2",
    # The same by hour; without users or routes.
    f"""
    CREATE TABLE hours (
        hour INTEGER NOT NULL,
        tenant TEXT NOT NULL,
        model TEXT NOT NULL,
        provider TEXT NOT NULL,
        {_COUNTERS},
        PRIMARY KEY (hour, tenant, model, provider)
    ) WITHOUT ROWID
    """,
    # How many users of a tenant had a call on a day.
    """
    CREATE TABLE active_users (
        day INTEGER NOT NULL,
        tenant TEXT NOT NULL,
        users INTEGER NOT NULL,
        PRIMARY KEY (day, tenant)
    ) WITHOUT ROWID
    """,
    """
    INSERT INTO active_users SELECT day, tenant, count(DISTINCT user) FROM activity GROUP BY 1, 2
    """,
    # A busy user's counters change all the time, and with them its place in every order: a row
    # that is `hot` is in no index of an order, until enough are and all go back.
    "ALTER TABLE months ADD COLUMN moves INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE months ADD COLUMN move_cost INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE months ADD COLUMN hot INTEGER NOT NULL DEFAULT 0",
    *(f"DROP INDEX months_by_{order}" for order in ORDERS if order != "user"),
    *(
        f"CREATE INDEX months_by_{order} ON months (month, tenant, {value} DESC, user)"
        " WHERE hot = 0"
        for order, value in ORDERS.items()
        if order != "user"
    ),
    "CREATE INDEX months_hot ON months (month, tenant, user) WHERE hot = 1",
    # Which lists there are, and the last day with a generation on them. A list of a tenant, a
    # model and a provider is walked by index; all others are merged out of such lists.
    """
    CREATE TABLE lists (
        tenant TEXT NOT NULL,
        model TEXT NOT NULL,
        provider TEXT NOT NULL,
        day INTEGER NOT NULL,
        PRIMARY KEY (tenant, model, provider)
    ) WITHOUT ROWID
    """,
    "INSERT INTO lists SELECT tenant, model, provider, max(day) FROM totals GROUP BY 1, 2, 3",
    *(
        f"DROP INDEX generations_{name}"
        for name in (
            *("newest", "by_tenant", "by_user", "by_model", "by_provider"),
            *("by_outcome", "by_status", "flagged"),
        )
    ),
    # The order of ids only matters among equal moments, and those are few enough to sort.
    "CREATE INDEX generations_newest ON generations (created_at)",
    "CREATE INDEX generations_by_list ON generations (tenant, model, provider, created_at)",
    """
    CREATE INDEX generations_by_user ON generations (tenant, user, created_at)
    WHERE user IS NOT NULL
    """,
    """
    CREATE INDEX generations_by_outcome ON generations (outcome, created_at)
    WHERE outcome <> 'ok'
    """,
    "CREATE INDEX generations_by_status ON generations (status, created_at) WHERE status <> 200",
    "CREATE INDEX generations_flagged ON generations (created_at) WHERE flags > 0",
    # What erased users left in the totals: their `rows`, and their `generations`.
    f"""
    CREATE TABLE erased (
        day INTEGER NOT NULL,
        kind TEXT NOT NULL,
        {_COUNTERS},
        PRIMARY KEY (day, kind)
    ) WITHOUT ROWID
    """,
    # The first day of which rows are kept; a month that begins before it has lost some.
    "ALTER TABLE retention ADD COLUMN activity_from INTEGER NOT NULL DEFAULT 0",
    "UPDATE retention SET activity_from = coalesce((SELECT min(day) FROM totals), 0)",
)
