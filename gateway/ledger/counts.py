"""Integers that generations are counted in: tokens, nano-dollars, milliseconds."""

from collections.abc import Iterable
from typing import Self

import msgspec

from gateway.generation import Generation
from gateway.ledger.increments import increments_of


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """The counters of a day, a user, or whatever else generations were grouped by.

    `errors` counts generations that are errors, `flags` the flags raised on all of them, `moves`
    those that went to another provider than their user's call before; `move_cost` is what those of
    them that found no cache there cost more.
    """

    requests: int = 0
    errors: int = 0
    flags: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    cached_tokens: int = 0
    cost: int = 0
    cache_discount: int = 0
    latency_ms: int = 0
    moves: int = 0
    move_cost: int = 0

    @property
    def tokens(self) -> int:
        """Prompt and completion together."""
        return self.prompt_tokens + self.completion_tokens

    @property
    def cost_per_million(self) -> float:
        """Nano-dollars per million tokens; 0 without tokens."""
        return self.cost * 1_000_000 / self.tokens if self.tokens else 0.0

    @property
    def mean_latency(self) -> float | None:
        """Milliseconds a request; None where all were refused at once, or there was none."""
        return self.latency_ms / self.requests if self.latency_ms else None

    @classmethod
    def of(cls, generation: Generation) -> Self:
        """What one generation adds."""
        return cls(**dict(zip(COUNTERS, increments_of(generation), strict=True)))


COUNTERS: tuple[str, ...] = Counts.__struct_fields__


class GrowingCounts:
    """The sum of the counts added so far."""

    def __init__(self) -> None:
        self._sums = dict.fromkeys(COUNTERS, 0)

    def add(self, counts: Counts) -> None:
        """Add each counter."""
        for name in COUNTERS:
            self._sums[name] += getattr(counts, name)

    @property
    def counts(self) -> Counts:
        """The sum."""
        return Counts(**self._sums)


def total(several: Iterable[Counts]) -> Counts:
    """The sum of each counter; of none, all are zero."""
    columns = zip(*map(msgspec.structs.astuple, several), strict=True)
    return Counts(**dict(zip(COUNTERS, map(sum, columns), strict=False)))


def difference(whole: Counts, part: Counts) -> Counts:
    """What is left of each counter."""
    pairs = zip(msgspec.structs.astuple(whole), msgspec.structs.astuple(part), strict=True)
    left = (one - other for one, other in pairs)
    return Counts(**dict(zip(COUNTERS, left, strict=True)))
