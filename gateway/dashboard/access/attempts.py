"""Failed attempts to sign in, so that keys cannot be tried one after the other."""

from collections import OrderedDict
from collections.abc import Callable

MAX_FAILURES = 5
WINDOW = 60.0
"""Seconds in which an address may fail `MAX_FAILURES` times."""

_MAX_ADDRESSES = 10_000


class Attempts:
    """The latest failures of each address. `now`: seconds on any clock."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._failures: OrderedDict[str, list[float]] = OrderedDict()

    def wait(self, address: str) -> float:
        """Seconds until the address may try again; 0 when it may now."""
        recent = self._recent(address)
        return recent[-MAX_FAILURES] + WINDOW - self._now() if len(recent) >= MAX_FAILURES else 0.0

    def failed(self, address: str) -> None:
        """Count a failure, and forget the address that failed longest ago when there are many."""
        self._failures[address] = [*self._recent(address), self._now()]
        self._failures.move_to_end(address)
        if len(self._failures) > _MAX_ADDRESSES:
            self._failures.popitem(last=False)

    def _recent(self, address: str) -> list[float]:
        since = self._now() - WINDOW
        return [moment for moment in self._failures.get(address, ()) if moment > since]
