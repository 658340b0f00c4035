"""The counts a store must come to, counted the plainest way there is."""

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

import msgspec

from gateway.generation import Generation
from gateway.ledger.store import ActivityRow, Counts, UserRow

K = TypeVar("K", bound=Hashable)


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


def activity(generations: Iterable[Generation]) -> list[ActivityRow]:
    """One row a (day, model, provider), newest day first."""
    groups = grouped(generations, lambda one: (-one.day, one.model or "", one.provider or ""))
    return [
        ActivityRow(day=-day, model=model or None, provider=provider or None, counts=total(some))
        for (day, model, provider), some in sorted(groups.items())
    ]


def activity_by_user(generations: Iterable[Generation]) -> list[ActivityRow]:
    """One row a (day, model, provider, user, tenant), newest day first."""
    groups = grouped(
        generations,
        lambda one: (-one.day, one.model or "", one.provider or "", one.user or "", one.tenant),
    )
    return [
        ActivityRow(
            day=-day,
            model=model or None,
            provider=provider or None,
            user=user or None,
            tenant=tenant,
            counts=total(some),
        )
        for (day, model, provider, user, tenant), some in sorted(groups.items())
    ]


def users(generations: Iterable[Generation]) -> list[UserRow]:
    """One row a user of a tenant, the most expensive first."""
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
    return sorted(rows, key=lambda row: (-row.counts.cost, row.tenant, row.user or ""))
