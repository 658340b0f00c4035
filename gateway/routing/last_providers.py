"""Where each user's last call went, so that a call which goes elsewhere is known to be a move."""

from collections.abc import Callable, Mapping

from xxhash import xxh3_64_intdigest

from gateway.routing.plan import Candidate

REMEMBERED = 100_000
"""Pairs of a user and a model, at most; those of the latest calls, at least half as many, are
among them."""


class LastProviders:
    """The provider of each user's last answered call, by a hash of user and model.

    `on_change` is called for every user that is new, or was answered by another provider before.
    """

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self.on_change: Callable[[int, str], None] | None = None
        self._half = remembered // 2
        self._recent: dict[int, str] = {}
        self._older: dict[int, str] = {}

    def record(self, key: bytes | None, candidate: Candidate) -> str | None:
        """Note that `candidate` has answered the user of this sticky `key`; returns the provider
        that did before, if that was another one."""
        if key is None:
            return None
        here = candidate.provider.name
        user_hash = xxh3_64_intdigest(key + b"\0" + (candidate.model or "").encode())
        before = self._recent.get(user_hash)
        if before == here:
            return None
        if before is None:
            before = self._older.get(user_hash)
        self._put(user_hash, here)
        if before == here:
            return None
        if self.on_change is not None:
            self.on_change(user_hash, here)
        return before

    def merge(self, seen: Mapping[int, str]) -> None:
        """These were answered there by another process."""
        for user_hash, provider in seen.items():
            self._put(user_hash, provider)

    def all(self) -> dict[int, str]:
        """All that is remembered, the longest ago first."""
        return self._older | self._recent

    def _put(self, user_hash: int, provider: str) -> None:
        if len(self._recent) >= self._half and user_hash not in self._recent:
            self._older, self._recent = self._recent, {}
        self._recent[user_hash] = provider
