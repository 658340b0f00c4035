"""Counters that grow."""

from gateway.ledger.store import COUNTERS, Counts


class Tally:
    """The sum of the counts added so far."""

    def __init__(self) -> None:
        self._sums = dict.fromkeys(COUNTERS, 0)

    def add(self, counts: Counts) -> None:
        for name in COUNTERS:
            self._sums[name] += getattr(counts, name)

    @property
    def counts(self) -> Counts:
        return Counts(**self._sums)
