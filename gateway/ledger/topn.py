"""The users who have most of something over several periods, without reading all of anyone.

Each period has its users in order. They are read from the top of all at once, and whoever is met
is looked up in full, until nobody who was not met can be among the first any more: the threshold
algorithm (Fagin, Lotem, Naor: Optimal aggregation algorithms for middleware, 2003). A period may
be longer than what is asked for, since then its order only promises more than is kept.
"""

from bisect import insort
from collections.abc import Callable, Collection, Iterator, Sequence

Place = tuple[int, str, str]
"""Minus a value, a tenant, a user: ascending, the highest come first, and equals by their names."""


def top(
    periods: Sequence[Iterator[Place]],
    measure: Callable[[str, str], int | None],
    count: int,
) -> list[Place]:
    """The first `count` by what `measure` says of a tenant's user; None keeps one out.

    Each period is ascending and has a user once. No value is negative, and what `measure` says is
    at most the sum of what the periods say. Exact; how much is read depends on how soon the
    periods' values fall below those of the first.
    """
    best: list[Place] = []
    met: set[tuple[str, str]] = set()
    heads = {period: head for period in periods if (head := next(period, None))}
    while heads and not _is_settled(best, heads.values(), count):
        period = min(heads, key=heads.__getitem__)
        _, tenant, user = heads.pop(period)
        if head := next(period, None):
            heads[period] = head
        if (tenant, user) not in met:
            met.add((tenant, user))
            value = measure(tenant, user)
            if value is not None:
                insort(best, (-value, tenant, user))
    return best[:count]


def _is_settled(best: Sequence[Place], heads: Collection[Place], count: int) -> bool:
    return count == 0 or (len(best) >= count and best[count - 1] <= best_unmet(heads))


def best_unmet(heads: Collection[Place]) -> Place:
    """The best place left for a user who is in none of the periods before its head.

    It has all of the heads' values only when it comes at or after every head that has some, and
    it is in one of the periods at least.
    """
    named = [(tenant, user) for value, tenant, user in heads if value]
    first = max(named) if named else min((tenant, user) for _, tenant, user in heads)
    return (sum(value for value, _, _ in heads), *first)
