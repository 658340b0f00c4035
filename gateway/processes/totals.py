"""What the workers have counted, those that are gone included.

A scraper takes a sum that falls for one that began anew, and counts all of it a second time. So
nothing that a worker once counted is forgotten when it ends, or when it is slow to answer.
"""

from collections.abc import Collection, Hashable, Sequence

from gateway.metrics.snapshot import Snapshot


class Totals:
    """The counts of all workers there ever were."""

    def __init__(self) -> None:
        self._last: dict[Hashable, Snapshot] = {}
        self._gone = Snapshot(processes=0)

    def update(self, worker: Hashable, snapshot: Snapshot) -> None:
        """It has these counts now."""
        self._last[worker] = snapshot

    def retire(self, worker: Hashable) -> None:
        """It has ended. What it counted since its last update is lost."""
        last = self._last.pop(worker, None)
        if last is not None:
            self._gone = self._gone.plus(last.past())

    def counts(self, silent: Collection[Hashable]) -> Sequence[Snapshot]:
        """The last counts of each worker, without what was true only then of the `silent` ones; and
        the sum of those that are gone. Nothing at all when everybody is silent."""
        now = [last.past() if worker in silent else last for worker, last in self._last.items()]
        return [self._gone, *now] if self._last.keys() - set(silent) else []
