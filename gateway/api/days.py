"""Reading daily rows: those of all users up to a limit, as there may be a million a day."""

from collections.abc import Sequence

from gateway.ledger.queries import ActivityQuery
from gateway.ledger.results import ActivityRow
from gateway.ledger.store import Store, TooManyUsers

MAX_USER_DAYS = 200_000
"""The most that one query reads: about three seconds of work."""


async def read_days(
    store: Store, query: ActivityQuery, most: int = MAX_USER_DAYS
) -> Sequence[ActivityRow]:
    """The rows of `query`; TooManyUsers when it is about more than `most` users' days."""
    if "user" in query.by and query.users is None:
        users = await store.active_users(query.since, query.until, query.tenants)
        if sum(users.values()) > most:
            raise TooManyUsers(
                f"This query has to read more than {most} users' days; ask for a shorter time,"
                " or about one user"
            )
    return await store.activity(query)
