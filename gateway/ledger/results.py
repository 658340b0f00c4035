"""What a store answers with: rows of counters, and what they add up to."""

from collections.abc import Mapping, Sequence

import msgspec

from gateway.ledger.counts import Counts


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


class FoundUsers(msgspec.Struct, frozen=True):
    """A page of the users found, and how many there are in all."""

    rows: Sequence[UserRow]
    count: int


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """What each of the users found has, sorted from the least; cost in nano-dollars."""

    requests: Sequence[int]
    cost: Sequence[int]


class Recount(msgspec.Struct, frozen=True, kw_only=True):
    """Three ways to count the same requests; they agree, or the ledger has drifted.

    Each maps a day to its counters: summed over users, over providers, and over the single
    generations that are still kept; the first and the last with what erased users left in the
    totals. `complete_from` is the first day of which nothing was forgotten; on earlier days
    `by_generation` says less than the others.
    """

    by_user: Mapping[int, Counts]
    by_provider: Mapping[int, Counts]
    by_generation: Mapping[int, Counts]
    complete_from: int
