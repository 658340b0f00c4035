"""What moves when a provider leaves or joins: shares of all users, exact, from the ring's arcs."""

from collections import Counter
from collections.abc import Iterable, Mapping

from gateway.routing.ring import Ring

_KEYS = 2**64


def moved_users(before: Ring, after: Ring) -> Mapping[tuple[str, str], float]:
    """(old home, new home) -> share of the key space, of those that differ; neither is empty."""
    arcs: Counter[tuple[str, str]] = Counter()
    marks = sorted({*before.marks(), *after.marks()})
    previous = marks[-1] - _KEYS
    for mark in marks:
        homes = before.owner_up_to(mark), after.owner_up_to(mark)
        if homes[0] != homes[1]:
            arcs[homes] += mark - previous
        previous = mark
    return {homes: arc / _KEYS for homes, arc in arcs.items()}


def moved_tokens(before: Ring, after: Ring, tokens: Iterable[tuple[bytes, int]]) -> int:
    """The tokens whose key has another home, or none any more; `tokens` are by key."""
    if not after.names:
        return sum(count for _, count in tokens)
    return sum(count for key, count in tokens if before.home(key) != after.home(key))
