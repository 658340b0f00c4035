"""What all workers have counted, including those that are gone.

A scraper takes a counter that falls for one that was reset, and counts all of it a second time. So
nothing that a worker once counted is forgotten when it exits, or when it is slow to reply.
"""

from collections.abc import Collection, Hashable, Sequence

from gateway.metrics.snapshot import Snapshot


class Totals:
    """The counts of all workers there ever were."""

    def __init__(self) -> None:
        self._last: dict[Hashable, Snapshot] = {}
        self._gone = Snapshot(processes=0)

    def update(self, worker: Hashable, snapshot: Snapshot) -> None:
        """Take the latest counts of a worker."""
        self._last[worker] = snapshot

    def retire(self, worker: Hashable) -> None:
        """A worker has exited. What it counted since its last update is lost."""
        last = self._last.pop(worker, None)
        if last is not None:
            self._gone = self._gone.plus(last.past())

    def counts(self, silent: Collection[Hashable]) -> Sequence[Snapshot]:
        """The sum of the workers that are gone, then the last counts of each other one.

        Those of the `silent` have no gauges. Nothing at all when all are silent.
        """
        now = [last.past() if worker in silent else last for worker, last in self._last.items()]
        return [self._gone, *now] if self._last.keys() - set(silent) else []
