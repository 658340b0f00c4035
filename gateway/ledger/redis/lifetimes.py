"""When each key expires by itself, in case no gateway is left to expire what is in it."""

import time
from collections.abc import Callable

import msgspec

from gateway.config import Retention
from gateway.ledger.redis import keys

_A_DAY = 86_400


class Lifetimes(msgspec.Struct, frozen=True):
    """Ends, in seconds since the epoch, of what is written at one moment.

    They come a day after the retention: a gateway, which notes first what it expires, is to do it
    before Redis, which notes nothing.
    """

    of_generations: int
    """Of single generations, and of lists of them: when none came for as long as they are kept."""

    of_registers: int
    """Of what leads to all the rest: when nothing came for as long as anything is kept."""

    tomorrow: int
    """The first day of which all is written with this retention, whatever was before."""

    retention: Retention

    def of_period(self, period: str) -> int:
        """Of what has a period in its name: when all of it is past."""
        kept = self.retention.generations if period[0] == "h" else self.retention.activity
        return (keys.last_day(period) + 2) * _A_DAY + int(kept)


def lifetimes(retention: Retention, clock: Callable[[], float] = time.time) -> Lifetimes:
    """Those of what is written now."""
    end = int(clock()) + _A_DAY
    longest = max(retention.generations, retention.activity)
    return Lifetimes(end + int(retention.generations), end + int(longest), end // _A_DAY, retention)
