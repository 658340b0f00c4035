"""Counts added, taken away and put into proportion."""

from collections.abc import Iterable

import msgspec

from gateway.ledger.store import Counts


def total(counts: Iterable[Counts]) -> Counts:
    """The sum of each counter."""
    columns = zip(*map(msgspec.structs.astuple, counts), strict=True)
    return Counts(**dict(zip(Counts.__struct_fields__, map(sum, columns), strict=False)))


def rest(whole: Counts, part: Counts) -> Counts:
    """What is left of each counter."""
    pairs = zip(msgspec.structs.astuple(whole), msgspec.structs.astuple(part), strict=True)
    left = (one - other for one, other in pairs)
    return Counts(**dict(zip(Counts.__struct_fields__, left, strict=True)))


def tokens(counts: Counts) -> int:
    """Prompt and completion together."""
    return counts.prompt_tokens + counts.completion_tokens


def per_million(counts: Counts) -> float:
    """Nano-dollars per million tokens; 0 without tokens."""
    return counts.cost * 1_000_000 / tokens(counts) if tokens(counts) else 0.0


def mean_latency(counts: Counts) -> float | None:
    """Milliseconds a request; None without requests."""
    return counts.latency_ms / counts.requests if counts.requests else None
