"""Whether a provider is well, as its calls and its probes tell: a state machine without a clock.

Every method takes the time, seconds on any clock that does not go back. A provider is out while an
ejection lasts, a pause it asked for, or its probe fails; after that its users come back over the
slow start, or over as long as it was out where that was shorter, as a cache forgets no faster.

    in ──5 failures in a row, or half of 20 calls or more in 10 s──► out ──time is up──► returning
    ▲                                                                 ▲                      │
    │                                                                 └──first call fails────┤
    └────────────────────────────────slow start is over──────────────────────────────────────┘

Each ejection is twice as long as the last one, up to `max_time`, until the provider has been in for
`max_time`. Until then it has to be proven by a good call: a failure before that ejects it. Calls
that end while it is out were mostly under way when it failed, and tell nothing of its return.
"""

import math
from collections.abc import Callable

from gateway.config import Ejection
from gateway.routing.health_state import Cooldown, HealthState
from gateway.routing.verdict import Verdict

_LONG_AGO = -math.inf

_WINDOW = 10.0
_MIN_CALLS = 20
"""Calls in a window that make a share of failures worth believing."""

_PROBES = 2
"""Failed probes in a row that mean a provider is down; one good probe ends that."""


class Health:
    """The health of one provider.

    It is out until `out_until`, and from `recovered_at` on nothing about it is special: both are in
    the past while it is well. `out_since` is when it last stopped being well; `is_down`: its probe
    fails. `ejections` in a row decide how long the next one lasts; `ejected` counts all that calls
    in this process have caused. `last_cooldown` is the one that began last, for any reason.
    `on_cooldown` is told of every cooldown that calls in this process began.
    """

    def __init__(self, ejection: Ejection, slow_start: float) -> None:
        self.on_cooldown: Callable[[Cooldown], None] | None = None
        self.last_cooldown: Cooldown | None = None
        self._ejection = ejection
        self._slow_start = slow_start
        self.out_since = self.out_until = self.recovered_at = _LONG_AGO
        self.is_down = False
        self.ejections = self.ejected = 0
        self._cooldown_until = _LONG_AGO
        self._is_proven = True
        self._failures_in_a_row = 0
        self._failed_probes = 0
        self._window_ends = _LONG_AGO
        self._calls = 0
        self._failures = 0

    def observe(self, verdict: Verdict, now: float) -> None:
        """A call has ended like this."""
        if verdict.is_sick:
            self.failed(now, verdict.cause)
        if verdict.pause:
            self.pause(verdict.pause, now)

    def succeeded(self, now: float) -> None:
        """A call was answered, to its last byte."""
        if now >= self.out_until:
            self._failures_in_a_row = 0
            self._is_proven = True
            self._count(now)

    def failed(self, now: float, cause: str) -> None:
        """A call was not, and it was the provider's doing."""
        if now < self.out_until:
            return
        self._count(now)
        self._failures += 1
        self._failures_in_a_row += 1
        reason = self._reason_to_eject(now)
        if reason is not None:
            self._eject(f"{reason}; the last: {cause}", now)

    def pause(self, seconds: float, now: float) -> None:
        """It asked to be left alone; heeded for at most the longest ejection."""
        until = now + min(seconds, self._ejection.max_time)
        self._start(Cooldown(now, until, reason=f"it asked to be left alone for {seconds:g} s"))

    def probed(self, good: bool, now: float) -> None:
        """A probe has ended."""
        self._failed_probes = 0 if good else self._failed_probes + 1
        if self._failed_probes >= _PROBES and not self.is_down:
            self.is_down = True
            self.last_cooldown = Cooldown(now, math.inf, reason=f"{_PROBES} probes in a row failed")
            self._go_out(math.inf, now)
        elif good and self.is_down:
            self.is_down = False
            self._go_out(max(now, self._cooldown_until), now)

    def apply(self, cooldown: Cooldown) -> None:
        """A cooldown has begun, here or in another process."""
        if cooldown.ejections is not None:
            self.ejections = cooldown.ejections
            self._is_proven = False
            self._failures_in_a_row = 0
            self._window_ends = _LONG_AGO
        last = self.last_cooldown
        self.last_cooldown = cooldown if last is None else max(last, cooldown, key=_start_of)
        self._extend(cooldown.until, cooldown.at)

    def state(self) -> HealthState:
        """All that matters of the past."""
        return HealthState(
            out_since=self.out_since,
            out_until=self.out_until,
            recovered_at=self.recovered_at,
            cooldown_until=self._cooldown_until,
            is_down=self.is_down,
            is_proven=self._is_proven,
            ejections=self.ejections,
            last_cooldown=self.last_cooldown,
        )

    def restore(self, state: HealthState) -> None:
        """Go on from such a state."""
        self.out_since, self.out_until = state.out_since, state.out_until
        self.recovered_at, self._cooldown_until = state.recovered_at, state.cooldown_until
        self.is_down, self._is_proven = state.is_down, state.is_proven
        self.ejections, self.last_cooldown = state.ejections, state.last_cooldown

    def returned_share(self, now: float) -> float:
        """The part of its users that may go to it: 0 while it is out, 1 from `recovered_at` on."""
        if now < self.out_until:
            return 0.0
        if now >= self.recovered_at:
            return 1.0
        return (now - self.out_until) / (self.recovered_at - self.out_until)

    def _count(self, now: float) -> None:
        if now >= self._window_ends:
            self._window_ends = now + _WINDOW
            self._calls = self._failures = 0
        self._calls += 1

    def _reason_to_eject(self, now: float) -> str | None:
        if not self._is_proven and not self._is_long_back(now):
            return "it was just back and failed again"
        if self._failures_in_a_row >= self._ejection.failures:
            return f"{self._failures_in_a_row} calls in a row failed"
        if self._calls >= _MIN_CALLS and self._failures >= self._ejection.share * self._calls:
            return f"{self._failures} of {self._calls} calls in {_WINDOW:g} s failed"
        return None

    def _is_long_back(self, now: float) -> bool:
        """Whether it has been in for so long that no ejection before counts any more."""
        return now >= self.out_until + self._ejection.max_time

    def _eject(self, reason: str, now: float) -> None:
        if self._is_long_back(now):
            self.ejections = 0
        longest = self._ejection.max_time
        seconds = min(self._ejection.time * 2.0 ** min(self.ejections, 64), longest)
        self.ejected += 1
        self._start(Cooldown(now, now + seconds, self.ejections + 1, reason))

    def _start(self, cooldown: Cooldown) -> None:
        self.apply(cooldown)
        if self.on_cooldown is not None:
            self.on_cooldown(cooldown)

    def _extend(self, until: float, now: float) -> None:
        self._cooldown_until = max(self._cooldown_until, until)
        if not self.is_down:
            self._go_out(self._cooldown_until, now)

    def _go_out(self, until: float, now: float) -> None:
        # Two processes may begin a cooldown at once and hear of each other's in either order.
        self.out_since = now if now >= self.recovered_at else min(now, self.out_since)
        self.out_until = until
        self.recovered_at = until + min(self._slow_start, until - self.out_since)


def _start_of(cooldown: Cooldown) -> tuple[float, float]:
    return cooldown.at, cooldown.until
