"""Where each user's last call went, so that a call which goes elsewhere is known to be a move."""

from collections import OrderedDict

from xxhash import xxh3_64_intdigest

from gateway.routing.plan import Candidate

REMEMBERED = 100_000
"""Users of a model; those whose last call is the longest ago are forgotten first."""


class Trail:
    """The provider of each user's last answered call, by model, as far as this process saw them."""

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._last: OrderedDict[int, str] = OrderedDict()

    def follow(self, key: bytes | None, candidate: Candidate) -> str | None:
        """`candidate` has answered the user of this sticky `key`; the provider it was before, if
        that was another one."""
        if key is None:
            return None
        here = candidate.provider.name
        place = xxh3_64_intdigest(key + b"\0" + (candidate.model or "").encode())
        before = self._last.get(place, here)
        self._last[place] = here
        self._last.move_to_end(place)
        if len(self._last) > self._remembered:
            self._last.popitem(last=False)
        return None if before == here else before
