"""Where each user's last call went, so that a call which goes elsewhere is known to be a move."""

from collections import OrderedDict
from collections.abc import Callable, Mapping

from xxhash import xxh3_64_intdigest

from gateway.routing.plan import Candidate

REMEMBERED = 100_000
"""Users of a model; those whose last call is the longest ago are forgotten first."""


class Trail:
    """The provider of each user's last answered call, by model; a number stands for both.

    `on_step` is told of every user that was not seen before, or not there.
    """

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self.on_step: Callable[[int, str], None] | None = None
        self._remembered = remembered
        self._last: OrderedDict[int, str] = OrderedDict()

    def follow(self, key: bytes | None, candidate: Candidate) -> str | None:
        """`candidate` has answered the user of this sticky `key`; the provider it was before, if
        that was another one."""
        if key is None:
            return None
        here = candidate.provider.name
        walker = xxh3_64_intdigest(key + b"\0" + (candidate.model or "").encode())
        before = self._last.get(walker)
        if before == here:
            self._last.move_to_end(walker)
            return None
        self._put(walker, here)
        if self.on_step is not None:
            self.on_step(walker, here)
        return before

    def hear(self, steps: Mapping[int, str]) -> None:
        """These were answered there by another process."""
        for walker, provider in steps.items():
            self._put(walker, provider)

    def steps(self) -> dict[int, str]:
        """All that is remembered, the longest ago first."""
        return dict(self._last)

    def _put(self, walker: int, provider: str) -> None:
        self._last[walker] = provider
        self._last.move_to_end(walker)
        if len(self._last) > self._remembered:
            self._last.popitem(last=False)
