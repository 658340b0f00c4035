"""What a store must do.

Every implementation passes the same contract (tests/test_store.py). Counts are integers: tokens,
nano-dollars, milliseconds.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Protocol

from gateway.errors import BadRequest, Unavailable
from gateway.generation import Generation
from gateway.ledger.parcel import Parcel
from gateway.ledger.queries import (
    ActivityQuery,
    GenerationQuery,
    LeaderboardQuery,
    SearchPage,
    UserQuery,
    UserSearch,
)
from gateway.ledger.results import ActivityRow, Distribution, FoundUsers, HourRow, Recount, UserRow
from gateway.ledger.spread import Spread


class StoreUnavailable(Unavailable):
    """The store cannot be reached or cannot take more; the text names it and says why."""

    code = "ledger_unavailable"

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.message = f"The ledger's store does not answer: {text}"


class TooManyUsers(BadRequest):
    """A question about everyone is more than can be looked through; the text says how many."""


class Store(Protocol):
    """Where applied records end up. All methods may raise StoreUnavailable."""

    @property
    def name(self) -> str:
        """What people know it by: a file, or hosts without credentials."""

    @property
    def batch_size(self) -> int:
        """How many records `apply` is best given."""

    async def apply(self, parcels: Sequence[Parcel]) -> None:
        """Count `parcels`, once each however often they come; all of them or none.

        Those of one writer come in order of their sequence; one at or below the writer's
        position was applied before and is skipped. A generation whose id is kept already, or of a
        day of which nothing is kept any more, moves its writer on but counts nothing. What was
        applied outlives a crash of the machine as far as the store itself does: the journal may be
        deleted after this returns.
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

    def everyone(self, since: int, until: int) -> AsyncIterator[Sequence[UserRow]]:
        """Every user with a request on days `since` to `until`, by tenant, then user, some at a
        time: once each, however the counts change meanwhile."""

    async def search_users(self, query: UserSearch, page: SearchPage) -> FoundUsers:
        """Looks at every user of the range: seconds for a million. May raise TooManyUsers."""

    async def distribution(self, query: UserSearch) -> Distribution:
        """How much each of the users found has; otherwise like `search_users`."""

    async def leaderboard(self, query: LeaderboardQuery) -> Sequence[UserRow]:
        """The users of a month in any order, without reading those before or after the page."""

    async def spread(self, month: int, tenants: frozenset[str] | None) -> Spread:
        """How many users of a month have how much; calls without a user count as one more user."""

    async def erase(self, tenant: str, user: str) -> int:
        """Forget one end user: generations, rows, ranks; returns how many generations there were.

        What the user's calls cost stays in the totals of their days, which name nobody; `recount`
        adds it to all three of its counts. It may be called again, also after a crash midway.
        """

    async def recount(self) -> Recount:
        """Recount everything; slow on purpose, for `hearth ledger verify`."""

    async def expire(self, generations_before: int, activity_before: int) -> None:
        """Forget generations created before (microseconds) and rows of days before.

        Of such days nothing is told or recounted any more, however much of them is gone yet, nor
        what comes of them later than that.

        A writer's position is forgotten when nothing is kept of the last day it counted on, nor of
        any before. Should its journal still be there, that counts no second time: `apply` passes
        over records of such days from then on.
        """

    async def close(self) -> None:
        """Let go of connections and files."""
