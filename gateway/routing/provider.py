"""A provider as routing sees it: its settings and its live counters."""

from collections.abc import Iterator
from contextlib import contextmanager

from gateway.config import Provider as Settings


class Provider:
    """One upstream account while the gateway runs."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.name = settings.name
        self.in_flight = 0

    def __repr__(self) -> str:
        return f"<Provider {self.name} in_flight={self.in_flight}>"

    def available(self) -> bool:
        """Whether it may be given one more call now; the one predicate routing asks."""
        return self.in_flight < self.settings.max_in_flight

    @contextmanager
    def lease(self) -> Iterator[None]:
        """Hold one of its places for as long as a call is with it."""
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1
