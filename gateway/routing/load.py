"""Bounded load: how busy a provider may be before it sends users on to their next choice.

Consistent hashing with bounded loads (Mirrokni, Thorup and Zadimoghaddam, arXiv 1608.01350) with a
floor, below which nobody is ever sent on: providers of hosted models have no queue that a handful
of calls could fill, and a cold prompt costs more than a place in it.
"""

from gateway.config import Sticky
from gateway.routing.provider import Provider


class Bound:
    """How many calls each of some providers may have in flight at this moment.

    `calls` are in flight with those that count towards the average, and `weight` is theirs: one
    that is coming back has that much less, as only a part of its users is back.
    """

    def __init__(self, sticky: Sticky, calls: int, weight: float) -> None:
        self._floor = sticky.floor
        self._per_weight = sticky.load_factor * (calls + 1) / weight if weight else 0.0

    def is_over(self, provider: Provider, share: float) -> bool:
        """Whether one more call would be more than `load_factor` times its share of all."""
        fair = self._per_weight * provider.weight * share
        return provider.in_flight >= max(self._floor, fair)
