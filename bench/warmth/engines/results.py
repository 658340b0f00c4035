"""What real engines said, call by call, and what a strategy comes to."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import msgspec

from bench.results import Machine
from bench.spread import percentile


class Answered(msgspec.Struct, frozen=True):
    """One call in the engine's own words: tokens of the prompt, those it found in its cache, and
    the milliseconds it took to read the others."""

    user: str
    engine: str
    prompt: int
    cached: int
    prompt_ms: float


class EngineRow(msgspec.Struct, frozen=True, kw_only=True):
    """A strategy; `moves` per user, the percentiles are of `prompt_ms`, `read_seconds` its sum."""

    name: str
    does: str
    prompt_tokens: int
    cached_tokens: int
    p50_ms: float
    p95_ms: float
    read_seconds: float
    moves: float

    @property
    def cached_share(self) -> float:
        """The part of all prompt tokens that came out of a cache."""
        return self.cached_tokens / self.prompt_tokens


class EngineResults(msgspec.Struct, frozen=True, kw_only=True):
    """One run; `versions` by package, `flags` those of llama-server."""

    date: str
    machine: Machine
    versions: Mapping[str, str]
    flags: Sequence[str]
    engines: int
    calls: int
    users: int
    rows: Sequence[EngineRow]


def row_of(name: str, does: str, answered: Sequence[Answered]) -> EngineRow:
    """The sums over at least one call."""
    times = [each.prompt_ms for each in answered]
    return EngineRow(
        name=name,
        does=does,
        prompt_tokens=sum(each.prompt for each in answered),
        cached_tokens=sum(each.cached for each in answered),
        p50_ms=percentile(times, 50),
        p95_ms=percentile(times, 95),
        read_seconds=sum(times) / 1000,
        moves=_moves(answered),
    )


def _moves(answered: Sequence[Answered]) -> float:
    engines: dict[str, list[str]] = {}
    for each in answered:
        engines.setdefault(each.user, []).append(each.engine)
    moves = sum(a != b for stays in engines.values() for a, b in pairwise(stays))
    return moves / len(engines)
