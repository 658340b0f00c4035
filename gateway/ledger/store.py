"""The shared memory of all gateways: what a store must do, and the questions it answers.

Every implementation passes the same contract (tests/test_store.py). Counts are integers: tokens,
nano-dollars, milliseconds.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar, Literal, Protocol, Self

import msgspec

from gateway.errors import BadRequest, GatewayError
from gateway.generation import Generation, Record
from gateway.ledger.adds import adds_of
from gateway.ledger.conditions import EVERYONE, Condition, Measure


class StoreUnavailable(GatewayError):
    """The store cannot be reached or cannot take more; the text names it and says why."""

    status = 503
    code = "ledger_unavailable"
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "1"}

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.message = f"The ledger's store does not answer: {text}"


class TooManyUsers(BadRequest):
    """A question about everyone is more than the store can look through; the text says how many."""


class GenerationQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Filters of the generation list; None matches all. `tenants` None sees every tenant.

    `since` and `until` (exclusive) are microseconds since the epoch. `status`: an HTTP status as
    text, or an outcome. `before` is the cursor: the (created_at, id) of the last row seen.
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


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """The counters of a day, a user, or whatever else generations were grouped by.

    `errors` counts generations that are errors, `flags` the flags raised on all of them, `moves`
    those that went to another provider than their user's call before; `move_cost` is what those of
    them that found no cache there cost more.
    """

    requests: int = 0
    errors: int = 0
    flags: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    cached_tokens: int = 0
    cost: int = 0
    cache_discount: int = 0
    latency_ms: int = 0
    moves: int = 0
    move_cost: int = 0

    @classmethod
    def of(cls, generation: Generation) -> Self:
        """What one generation adds."""
        return cls(**dict(zip(COUNTERS, adds_of(generation), strict=True)))


COUNTERS: tuple[str, ...] = Counts.__struct_fields__


class ActivityRow(msgspec.Struct, frozen=True, kw_only=True):
    """The counters of one (day, model, provider), and of what else the query keeps apart.

    `model` is None for calls that named none, `provider` and `route` for calls that reached none,
    `user` for calls without a user id. `tenant`, `user` and `route` are None as well in rows that
    are not by them.
    """

    day: int
    model: str | None
    provider: str | None
    counts: Counts
    tenant: str | None = None
    user: str | None = None
    route: str | None = None


class HourRow(msgspec.Struct, frozen=True, kw_only=True):
    """The counters of one (hour, tenant, model, provider); hours since the epoch, UTC."""

    hour: int
    tenant: str
    model: str | None
    provider: str | None
    counts: Counts


class UserRow(msgspec.Struct, frozen=True, kw_only=True):
    """One end user of one tenant over a range of days; `user` None gathers calls without an id.

    `active_days`: days with a request. `first_seen`, `last_seen`: when the first and the last
    request of the range came, microseconds since the epoch.
    """

    tenant: str
    user: str | None
    counts: Counts
    active_days: int
    first_seen: int
    last_seen: int


class UserQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which users, over days `since` to `until` inclusive, the highest `order` first.

    `tokens` is prompt and completion together; equals are ordered by tenant, then user.
    """

    since: int
    until: int
    tenants: frozenset[str] | None = None
    user: str | None = None
    order: Literal["cost", "requests", "tokens", "errors", "flags"] = "cost"
    limit: int = 100
    offset: int = 0


class CrowdQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Everyone who was there on days `since` to `until` (inclusive, none if it is less), or is in
    `beside`: rows of parts of other days, each user once, which are added.

    `users`: only those ids, the empty one for calls without; `condition`: on what each comes to.
    """

    since: int
    until: int
    tenants: frozenset[str] | None = None
    users: frozenset[str] | None = None
    beside: Sequence[UserRow] = ()
    condition: Condition = EVERYONE


class CrowdPage(msgspec.Struct, frozen=True, kw_only=True):
    """Which of a crowd: the highest `order` first, or the lowest; equals by tenant, then user."""

    order: Measure
    ascending: bool = False
    limit: int = 100
    offset: int = 0


class Crowd(msgspec.Struct, frozen=True):
    """A page of a crowd, and how many there are in all."""

    rows: Sequence[UserRow]
    count: int


class Quantities(msgspec.Struct, frozen=True, kw_only=True):
    """What each of a crowd has, the least first; cost in nano-dollars."""

    requests: Sequence[int]
    cost: Sequence[int]


StandingsOrder = Literal[
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


class StandingsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which users of a calendar month (months since January 1970), in which order.

    The highest first, equals by tenant, then user; by `user`, the first in code point order first.
    Per-something and `latency` are means: requests per active day, tokens and milliseconds per
    request. `ascending` is the reverse of all that. `prefix` keeps ids that begin with it.
    """

    month: int
    tenants: frozenset[str] | None = None
    prefix: str = ""
    order: StandingsOrder = "cost"
    ascending: bool = False
    limit: int = 50
    offset: int = 0


class Bar(msgspec.Struct, frozen=True):
    """How many `users` have a count from `start` to before `end`; 0 has a bar of its own.

    The others hold the numbers with as many digits and the same first digit: 7, 40 to 49, 100 to
    199. They are the same in every store, and a counter that grows moves one user to another bar.
    """

    start: int
    end: int
    users: int

    @classmethod
    def of(cls, number: int, users: int) -> Self:
        """The bar that `bar_of` numbers so."""
        digits, first = divmod(number, 10)
        unit = 10 ** (digits - 1) if digits else 1
        return cls(first * unit, (first + 1) * unit, users)


def bar_of(count: int) -> int:
    """The number of the bar a count stands in: ten times its digits, plus the first; 0 for zero."""
    if count <= 0:
        return 0
    text = str(count)
    return len(text) * 10 + int(text[0])


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """How a month's requests, and its cost in nano-dollars, spread over users; lowest bar first."""

    requests: tuple[Bar, ...]
    cost: tuple[Bar, ...]


class Recount(msgspec.Struct, frozen=True, kw_only=True):
    """Three ways to count the same requests; they agree, or the ledger has drifted.

    Each maps a day to its counters: summed over users, over providers, and over the single
    generations that are still kept; the first and the last with what erased users left in the
    totals. `complete_from` is the first day of which nothing was
    forgotten; on earlier days `by_generation` says less than the others.
    """

    by_user: Mapping[int, Counts]
    by_provider: Mapping[int, Counts]
    by_generation: Mapping[int, Counts]
    complete_from: int


class Store(Protocol):
    """Where applied records end up. All methods may raise StoreUnavailable."""

    @property
    def name(self) -> str:
        """What people know it by: a file, or hosts without credentials."""

    @property
    def at_once(self) -> int:
        """How many records `apply` is best given."""

    async def apply(self, records: Sequence[Record]) -> None:
        """Count `records`, once each however often they come; all of them or none.

        Records of one writer come in order of their sequence; one at or below the writer's
        position was applied before and is skipped. A generation whose id is kept already moves
        its writer on but counts nothing. What was applied outlives a crash of the machine as far
        as the store itself does: the journal may be deleted after this returns.
        """

    async def positions(self, writers: Collection[str]) -> Mapping[str, int]:
        """Writer -> sequence of its last applied record; a writer not met yet is left out."""

    async def generation(
        self, generation_id: str, tenants: frozenset[str] | None
    ) -> Generation | None:
        """By our id, else the newest by the upstream's; only of `tenants`, None for any."""

    async def generations(self, query: GenerationQuery) -> Sequence[Generation]:
        """Newest first, then highest id first; at most `limit`."""

    async def activity(self, query: ActivityQuery) -> Sequence[ActivityRow]:
        """Newest day first, then by model, provider, user, tenant and route."""

    async def hours(
        self, since: int, until: int, tenants: frozenset[str] | None
    ) -> Sequence[HourRow]:
        """Hours `since` to `until`, both inclusive, kept as long as generations; newest hour first,
        then by tenant, model and provider."""

    async def active_users(
        self, since: int, until: int, tenants: frozenset[str] | None
    ) -> Mapping[int, int]:
        """Day -> how many users had a request on it, calls without a user id as one more user of
        their tenant; days without any are left out. Reads a number a day and tenant."""

    async def users(self, query: UserQuery) -> Sequence[UserRow]:
        """Highest first, without reading every user of the range."""

    async def crowd(self, query: CrowdQuery, page: CrowdPage) -> Crowd:
        """Looks at everyone, which takes seconds with very many. May raise TooManyUsers."""

    async def quantities(self, query: CrowdQuery) -> Quantities:
        """The same of how much everyone has."""

    async def standings(self, query: StandingsQuery) -> Sequence[UserRow]:
        """The users of a month in order, without reading those before or after the page."""

    async def spread(self, month: int, tenants: frozenset[str] | None) -> Spread:
        """How the users of a month are spread; calls without a user count as one more user."""

    async def erase(self, tenant: str, user: str) -> int:
        """Forget one end user: generations, rows, standings; how many generations it were.

        What the user's calls cost stays in the totals of their days, which name nobody; `recount`
        adds it to all three of its counts. It may be called again, also after a crash midway.
        """

    async def recount(self) -> Recount:
        """Recount everything; slow on purpose, for `hearth ledger verify`."""

    async def expire(self, generations_before: int, activity_before: int) -> None:
        """Forget generations created before (microseconds) and rows of days before.

        A writer's position is forgotten with the last day it counted on: whatever a stale copy
        of its journal could then add belongs to days that are expired too.
        """

    async def close(self) -> None:
        """Let go of connections and files."""
