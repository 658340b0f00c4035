"""Rate limits: so many requests of a key within a sliding window, counted by one process."""

import math
from collections import deque

from gateway.errors import TooManyRequests


class Quota:
    """At most `most` requests of one holder within `window` seconds."""

    def __init__(self, most: int, window: float) -> None:
        self._most = most
        self._window = window
        self._taken: dict[str, deque[float]] = {}

    def take(self, holder: str, now: float) -> None:
        """Count a request at `now`, in seconds; TooManyRequests when it is one too many.

        What is later than `now` was counted before the clock was set back, and is forgotten.
        """
        taken = self._taken.setdefault(holder, deque())
        while taken and not now - self._window < taken[0] <= now:
            taken.popleft()
        if len(taken) >= self._most:
            wait = math.ceil(taken[0] + self._window - now)
            raise TooManyRequests(
                f"Rate limit exceeded: {self._most} requests in {self._window:g} seconds", wait
            )
        taken.append(now)
