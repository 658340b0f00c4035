"""The counts a store must come to, counted the plainest way there is."""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from typing import TypeVar

import msgspec

from gateway.calendar import month_of
from gateway.generation import Generation
from gateway.ledger.counts import Counts
from gateway.ledger.queries import Dimension
from gateway.ledger.results import ActivityRow, HourRow, UserRow

K = TypeVar("K", bound=Hashable)

_HOUR = 3_600_000_000

VALUES: Mapping[str, Callable[[UserRow], float]] = {
    "cost": lambda row: row.counts.cost,
    "requests": lambda row: row.counts.requests,
    "tokens": lambda row: row.counts.prompt_tokens + row.counts.completion_tokens,
    "errors": lambda row: row.counts.errors,
    "flags": lambda row: row.counts.flags,
    "active_days": lambda row: row.active_days,
    "last_seen": lambda row: row.last_seen,
    "requests_per_day": lambda row: row.counts.requests / row.active_days,
    "tokens_per_request": (
        lambda row: (row.counts.prompt_tokens + row.counts.completion_tokens) / row.counts.requests
    ),
    "latency": lambda row: row.counts.latency_ms / row.counts.requests,
}
"""What each order of users goes by."""


def total(generations: Iterable[Generation]) -> Counts:
    """The sum of what each adds."""
    singles = [msgspec.structs.asdict(Counts.of(each)) for each in generations]
    return Counts(**{name: sum(one[name] for one in singles) for name in Counts.__struct_fields__})


def grouped(
    generations: Iterable[Generation], key: Callable[[Generation], K]
) -> dict[K, list[Generation]]:
    """The generations of each key."""
    groups: dict[K, list[Generation]] = {}
    for each in generations:
        groups.setdefault(key(each), []).append(each)
    return groups


def by_day(generations: Iterable[Generation]) -> dict[int, Counts]:
    """Day -> its counters."""
    return {day: total(some) for day, some in grouped(generations, lambda one: one.day).items()}


def activity(
    generations: Iterable[Generation], by: Collection[Dimension] = ()
) -> list[ActivityRow]:
    """One row a (day, model, provider) and whatever else it is by, newest day first."""

    def key(one: Generation) -> tuple[int, str, str, str, str, str]:
        return (
            -one.day,
            one.model or "",
            one.provider or "",
            (one.user or "") * ("user" in by),
            one.tenant * ("user" in by or "tenant" in by),
            (one.route or "") * ("route" in by),
        )

    return [
        ActivityRow(
            day=-day,
            model=model or None,
            provider=provider or None,
            user=user or None,
            tenant=tenant or None,
            route=route or None,
            counts=total(some),
        )
        for (day, model, provider, user, tenant, route), some in sorted(
            grouped(generations, key).items()
        )
    ]


def hours(generations: Iterable[Generation]) -> list[HourRow]:
    """One row a (hour, tenant, model, provider), newest hour first."""
    groups = grouped(
        generations,
        lambda one: (-(one.created_at // _HOUR), one.tenant, one.model or "", one.provider or ""),
    )
    return [
        HourRow(
            hour=-hour,
            tenant=tenant,
            model=model or None,
            provider=provider or None,
            counts=total(some),
        )
        for (hour, tenant, model, provider), some in sorted(groups.items())
    ]


def active_users(generations: Iterable[Generation]) -> dict[int, int]:
    """Day -> how many users of a tenant had a call on it."""
    days = grouped(generations, lambda one: one.day)
    return {day: len({(one.tenant, one.user) for one in some}) for day, some in days.items()}


def users(generations: Iterable[Generation], order: str = "cost") -> list[UserRow]:
    """One row a user of a tenant, those with most of `order` first."""
    groups = grouped(generations, lambda one: (one.tenant, one.user or ""))
    rows = [
        UserRow(
            tenant=tenant,
            user=user or None,
            counts=total(some),
            active_days=len({one.day for one in some}),
            first_seen=min(one.created_at for one in some),
            last_seen=max(one.created_at for one in some),
        )
        for (tenant, user), some in groups.items()
    ]
    value = VALUES[order]
    return sorted(rows, key=lambda row: (-value(row), row.tenant, row.user or ""))


def of_month(generations: Iterable[Generation], month: int, tenant: str | None) -> list[UserRow]:
    """The rows of a month, in the order of tenants and users."""
    rows = users(
        each
        for each in generations
        if month_of(each.day) == month and tenant in (None, each.tenant)
    )
    return sorted(rows, key=lambda row: (row.tenant, row.user or ""))
