"""Counts every settled generation, in plain integers: this runs once a request.

The ledger is exact and lasts; these counts are of one process, and start at zero with it.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence

import msgspec
from msgspec.structs import astuple

from gateway.config import Metrics, Provider
from gateway.generation import Attempt, Generation, UsageValues
from gateway.metrics.buckets import DURATION, FIRST_BYTE
from gateway.metrics.labels import OTHER, ModelLabels, status_class
from gateway.metrics.snapshot import CallCounts, CallLabels, Histogram, Snapshot
from gateway.metrics.users import UserCounters

MAX_SERIES = 1000
"""Label sets with a model of their own; from then on new ones count as `other`."""

_REMEMBERED = 4096

_Key = tuple[str | None, str | None, str | None, str, int]


class _HistogramCounters:
    """A `Histogram` while it grows; a bound belongs to the bucket it ends."""

    def __init__(self, bounds: tuple[int, ...]) -> None:
        self._bounds = bounds
        self._total = 0
        self._buckets = [0] * (len(bounds) + 1)

    def add(self, value: int) -> None:
        self._total += value
        bucket = 0
        for bound in self._bounds:
            if value <= bound:
                break
            bucket += 1
        self._buckets[bucket] += 1

    def frozen(self) -> Histogram:
        return Histogram(self._total, tuple(self._buckets))


class _CallCounters:
    """`CallCounts` while they grow; `itemized` requests had their attempts counted one by one."""

    __slots__ = (
        *("requests", "itemized", "prompt_tokens", "completion_tokens", "reasoning_tokens"),
        *("cached_tokens", "cache_write_tokens", "cost", "cache_saved", "cache_surcharge"),
        *("moves", "move_cost", "duration", "first_byte"),
    )

    def __init__(self) -> None:
        self.requests = self.itemized = 0
        self.prompt_tokens = self.completion_tokens = self.reasoning_tokens = 0
        self.cached_tokens = self.cache_write_tokens = 0
        self.cost = self.cache_saved = self.cache_surcharge = 0
        self.moves = self.move_cost = 0
        self.duration = _HistogramCounters(DURATION)
        self.first_byte = _HistogramCounters(FIRST_BYTE)

    def frozen(self) -> CallCounts:
        return CallCounts(
            self.requests,
            self.prompt_tokens,
            self.completion_tokens,
            self.reasoning_tokens,
            self.cached_tokens,
            self.cache_write_tokens,
            self.cost,
            self.cache_saved,
            self.cache_surcharge,
            self.moves,
            self.move_cost,
            self.duration.frozen(),
            self.first_byte.frozen(),
        )


class Counters:
    """The counts of one process."""

    def __init__(self, settings: Metrics, providers: Sequence[Provider]) -> None:
        self._models = ModelLabels(providers)
        self._users = UserCounters(settings.users) if settings.users else None
        self._series: dict[CallLabels, _CallCounters] = {}
        self._by_key: dict[_Key, _CallCounters] = {}
        self._attempts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._flags: Counter[str] = Counter()
        self._checks: Counter[str] = Counter()

    def add(self, generation: Generation) -> None:
        """Count a settled generation."""
        outcome = generation.outcome
        key = (
            generation.provider,
            generation.model,
            generation.route,
            outcome,
            generation.status,
        )
        counters = self._by_key.get(key)
        if counters is None:
            counters = self._counters_of(key)
        counters.requests += 1
        counters.duration.add(generation.latency_ms)
        if (first_byte := generation.first_byte_ms) is not None:
            counters.first_byte.add(first_byte)
        counts: UsageValues = astuple(generation.usage)
        prompt, completion, reasoning, cached, written, _, _, _, _ = counts
        counters.prompt_tokens += prompt
        counters.completion_tokens += completion
        counters.reasoning_tokens += reasoning
        counters.cost += generation.cost
        if cached or written:
            counters.cached_tokens += cached
            counters.cache_write_tokens += written
            _add_discount(counters, generation.cache_discount)
        if outcome != "ok" or len(generation.attempts) != 1 or generation.moved_from:
            self._add_exceptional(counters, generation)
        if generation.flags:
            self._flags.update(flag.type for flag in generation.flags)
        if self._users is not None:
            self._users.add(generation)

    def add_check(self, result: str) -> None:
        """Count a moderation before forwarding: it `passed`, was `flagged`, or `failed`."""
        self._checks[result] += 1

    def snapshot(self) -> Snapshot:
        """All that was counted; what is not counted here is left at its default."""
        return Snapshot(
            calls=tuple((labels, each.frozen()) for labels, each in self._series.items()),
            users=self._users.rows() if self._users else (),
            attempts=self._all_attempts(),
            flags=dict(self._flags),
            checks=dict(self._checks),
        )

    def _counters_of(self, key: _Key) -> _CallCounters:
        """The counters of a key not seen lately; keys are made by clients, so few are kept."""
        provider, model, route, outcome, status = key
        label = self._models.label(model)
        labels = CallLabels(provider or "", label, route or "", outcome, status_class(status))
        if label and labels not in self._series and len(self._series) >= MAX_SERIES:
            labels = msgspec.structs.replace(labels, model=OTHER)
        if len(self._by_key) >= _REMEMBERED:
            self._by_key.clear()
        counters = self._by_key[key] = self._series.setdefault(labels, _CallCounters())
        return counters

    def _add_exceptional(self, counters: _CallCounters, generation: Generation) -> None:
        """What is not the one attempt that was answered, at home."""
        counters.itemized += 1
        for attempt in generation.attempts:
            self._attempts[attempt.provider][_result(attempt)] += 1
        if generation.moved_from:
            counters.moves += 1
            counters.move_cost += generation.move_cost

    def _all_attempts(self) -> dict[str, dict[str, int]]:
        attempts = defaultdict(
            Counter, {name: each.copy() for name, each in self._attempts.items()}
        )
        for labels, counters in self._series.items():
            if others := counters.requests - counters.itemized:
                attempts[labels.provider][labels.status] += others
        return {name: dict(each) for name, each in attempts.items()}


def _add_discount(counters: _CallCounters, discount: int) -> None:
    counters.cache_saved += max(discount, 0)
    counters.cache_surcharge += max(-discount, 0)


def _result(attempt: Attempt) -> str:
    """The class of its status, or the reason why there was none."""
    if attempt.status is not None:
        return status_class(attempt.status)
    return (attempt.error or "").partition(":")[0]
