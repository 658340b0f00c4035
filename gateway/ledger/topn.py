"""The users who have most of something over several periods, without reading every user.

Each period has its users in order. They are read from the top of all at once, and whoever is met
is looked up in full, until nobody who was not met can be among the first any more: the threshold
algorithm (Fagin, Lotem, Naor: Optimal aggregation algorithms for middleware, 2003). A period may
be longer than what is asked for, since then its order only promises more than is kept.

Users come in groups with periods of their own, as those of a tenant do. What one group's periods
promise says nothing of another's users, so each group has its own threshold, and the one that
promises most is read on.
"""

from bisect import insort
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from heapq import heapify, heappop, heappush

TenantUser = tuple[str, str]
"""Tenant and user; the user is empty for calls without one."""

Place = tuple[int, str, str]
"""Minus a value, a tenant, a user: ascending, the highest come first, and equals by their names."""


def top(
    groups: Iterable[Iterable[Iterator[Place]]],
    measure: Callable[[str, str], int | None],
    count: int,
) -> list[Place]:
    """The first `count` by what `measure` says of a tenant's user; None keeps one out.

    Nobody is in two groups. Each of a group's periods is ascending and has a user once. No value
    is negative, and what `measure` says is at most the sum of what the group's periods say. Exact;
    how much is read depends on how soon the periods' values fall below those of the first.
    """
    best: list[Place] = []
    begun = [_Group(periods) for periods in groups]
    promising = [(bound, number) for number, each in enumerate(begun) if (bound := each.bound)]
    heapify(promising)
    while promising and not _is_settled(best, promising[0][0], count):
        _, number = heappop(promising)
        group = begun[number]
        if (who := group.meet()) and (value := measure(*who)) is not None:
            insort(best, (-value, *who))
        if bound := group.bound:
            heappush(promising, (bound, number))
    return best[:count]


def _is_settled(best: Sequence[Place], bound: Place, count: int) -> bool:
    return count == 0 or (len(best) >= count and best[count - 1] <= bound)


class _Group:
    """Walks down the periods of some users together."""

    def __init__(self, periods: Iterable[Iterator[Place]]) -> None:
        self._heads = {period: head for period in periods if (head := next(period, None))}
        self._met: set[TenantUser] = set()

    @property
    def bound(self) -> Place | None:
        """The best place that is left for somebody not met; None when all are."""
        return best_unmet(self._heads.values()) if self._heads else None

    def meet(self) -> TenantUser | None:
        """Who stands first in any of the periods; None for somebody who was met before."""
        period = min(self._heads, key=self._heads.__getitem__)
        _, tenant, user = self._heads.pop(period)
        if head := next(period, None):
            self._heads[period] = head
        if (tenant, user) in self._met:
            return None
        self._met.add((tenant, user))
        return tenant, user


def best_unmet(heads: Collection[Place]) -> Place:
    """The best place left for a user who is in none of the periods before its head.

    Such a user has at most the sum of the heads' values, and that only by standing at or after
    every head that has a value, in the order of names. Where none has, it stands at or after one
    of them, as it is in some period.
    """
    named = [(tenant, user) for value, tenant, user in heads if value]
    first = max(named) if named else min((tenant, user) for _, tenant, user in heads)
    return (sum(value for value, _, _ in heads), *first)
