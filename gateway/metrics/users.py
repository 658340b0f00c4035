"""Counts by end user, for those who ask for them: of a number of users, and of the rest as one."""

from gateway.generation import Generation
from gateway.metrics.labels import OTHER
from gateway.metrics.snapshot import UserCounts, UserLabels

_REST = (OTHER, OTHER)


class UserCounters:
    """The first `limit` users to come are counted by name, and stay so.

    A counter must not fall, so nobody is dropped to make room for somebody busier.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._counts: dict[tuple[str, str], list[int]] = {}

    def add(self, generation: Generation) -> None:
        """Count a call; one without a user is nobody's."""
        if generation.user is None:
            return
        counts = self._counts_of((generation.tenant, generation.user))
        counts[0] += 1
        counts[1] += generation.usage.tokens
        counts[2] += generation.cost

    def rows(self) -> tuple[tuple[UserLabels, UserCounts], ...]:
        """All counts."""
        return tuple(
            (UserLabels(*user), UserCounts(*counts)) for user, counts in self._counts.items()
        )

    def _counts_of(self, user: tuple[str, str]) -> list[int]:
        if user not in self._counts and len(self._counts) >= self._limit:
            user = _REST
        return self._counts.setdefault(user, [0, 0, 0])
