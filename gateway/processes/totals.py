"""What the workers have counted, those that are gone included.

A scraper takes a sum that falls for one that began anew, and counts all of it a second time. So
nothing that a worker once said is forgotten when it leaves, or when it is slow to say more.
"""

from collections.abc import Collection, Hashable, Sequence

from gateway.metrics.snapshot import Snapshot


class Totals:
    """The counts of all workers there ever were."""

    def __init__(self) -> None:
        self._last: dict[Hashable, Snapshot] = {}
        self._gone = Snapshot(processes=0)

    def heard(self, worker: Hashable, snapshot: Snapshot) -> None:
        """It said how it is."""
        self._last[worker] = snapshot

    def left(self, worker: Hashable) -> None:
        """It will say no more. What it counted since it last spoke is lost."""
        last = self._last.pop(worker, None)
        if last is not None:
            self._gone = self._gone.plus(last.past())

    def told(self, silent: Collection[Hashable]) -> Sequence[Snapshot]:
        """What each worker last said, but nothing of the `silent` that was true only then; and the
        sum of those that are gone. Nothing at all when everybody is silent."""
        now = [last.past() if worker in silent else last for worker, last in self._last.items()]
        return [self._gone, *now] if self._last.keys() - set(silent) else []
