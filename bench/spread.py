"""Medians, percentiles and spreads, by nearest rank: every number given was measured."""

from collections.abc import Sequence

import msgspec


class Spread(msgspec.Struct, frozen=True):
    """The median of repeated measurements, and how far they lie apart."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Of at least one value."""
        return cls(percentile(values, 50), min(values), max(values))


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of them do not exceed; ValueError without any."""
    if not values:
        raise ValueError("there is nothing to take a percentile of")
    rank = -(-len(values) * percent // 100)
    return sorted(values)[max(0, int(rank) - 1)]
