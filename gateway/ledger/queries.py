"""The questions a store answers: which records, which days, whose, and in which order.

A filter that is None keeps all; `tenants` None sees every tenant.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from gateway.ledger.conditions import EVERYONE, Condition, Measure
from gateway.ledger.results import UserRow


class GenerationQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Filters of the generation list.

    `user`: an end user's id, or empty for calls that name nobody. `since` and `until` (exclusive)
    are microseconds since the epoch. `status`: an HTTP status as text, or an outcome. `before` is
    the cursor: the (created_at, id) of the last row seen.
    """

    tenants: frozenset[str] | None = None
    user: str | None = None
    model: str | None = None
    provider: str | None = None
    status: str | None = None
    flagged: bool | None = None
    since: int | None = None
    until: int | None = None
    before: tuple[int, str] | None = None
    limit: int = 50


Dimension = Literal["tenant", "user", "route"]
"""What daily rows can be kept apart by, beside model and provider."""


class ActivityQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which daily rows: `since` and `until` are days since the epoch, both inclusive.

    `users`: only those ids. `by` keeps rows apart that are added up otherwise; `user` in it, or
    naming `users`, implies `tenant`, as two tenants' users of one name are two users.
    """

    since: int
    until: int
    tenants: frozenset[str] | None = None
    users: frozenset[str] | None = None
    by: frozenset[Dimension] = frozenset()

    @property
    def names_users(self) -> bool:
        """Whether each row is of one user."""
        return "user" in self.by or self.users is not None


UserOrder = Literal["cost", "requests", "tokens", "errors", "flags"]
"""`tokens` is prompt and completion together."""


EVERY_TENANT = 100_000
"""A limit for one user id, which has a row in each tenant: there are never so many."""


class UserQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which users, over days `since` to `until` inclusive, the highest `order` first; equals by
    tenant, then user."""

    since: int
    until: int
    tenants: frozenset[str] | None = None
    user: str | None = None
    order: UserOrder = "cost"
    limit: int = 100
    offset: int = 0


class UserSearch(msgspec.Struct, frozen=True, kw_only=True):
    """Users with a request on days `since` to `until`, inclusive, whose sums meet the `condition`;
    nobody where `until` is less.

    `users`: only those ids, the empty one for calls without. `extra`: rows to add to what the store
    has, each user once; the caller has them of parts of other days.
    """

    since: int
    until: int
    tenants: frozenset[str] | None = None
    users: frozenset[str] | None = None
    extra: Sequence[UserRow] = ()
    condition: Condition = EVERYONE


class SearchPage(msgspec.Struct, frozen=True, kw_only=True):
    """Which of the users found: the highest `order` first, or the lowest; equals by tenant, then
    user."""

    order: Measure
    ascending: bool = False
    limit: int = 100
    offset: int = 0


LeaderboardOrder = Literal[
    "user",
    "cost",
    "requests",
    "tokens",
    "errors",
    "flags",
    "active_days",
    "last_seen",
    "requests_per_day",
    "tokens_per_request",
    "latency",
]


class LeaderboardQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which users of a calendar month (months since January 1970), in which order.

    The highest first, equals by tenant, then user; by `user`, the first in code point order first,
    equals by tenant. Per-something and `latency` are means: requests per active day, tokens and
    milliseconds per request. `ascending` is the reverse of all that. `prefix` keeps ids that begin
    with it.
    """

    month: int
    tenants: frozenset[str] | None = None
    prefix: str = ""
    order: LeaderboardOrder = "cost"
    ascending: bool = False
    limit: int = 50
    offset: int = 0
