"""What can be counted: OpenRouter's metrics of which Hearth has data, and some of its own."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import msgspec

from gateway.api.openrouter.analytics.dimensions import Row, counts_of
from gateway.generation import Generation
from gateway.ledger.counts import Counts, GrowingCounts
from gateway.money import usd

Format = Literal["number", "currency", "percent", "latency", "throughput"]
Number = int | float | None


class Group:
    """The rows of one line of an answer, added up.

    `latencies`: milliseconds of each single request, `throughputs`: completion tokens a second of
    each that has any; both only as far as rows are single requests.
    """

    def __init__(self) -> None:
        self._sum = GrowingCounts()
        self.latencies: list[float] = []
        self.throughputs: list[float] = []

    def add(self, row: Row) -> None:
        self._sum.add(counts_of(row))
        if isinstance(row, Generation):
            self.latencies.append(row.latency_ms)
            if row.usage.completion_tokens and row.latency_ms:
                self.throughputs.append(row.usage.completion_tokens * 1000 / row.latency_ms)

    @property
    def counts(self) -> Counts:
        return self._sum.counts


class Metric(msgspec.Struct, frozen=True):
    """`value` of a group, None where nothing can be said. `single`: it takes single requests."""

    label: str
    value: Callable[[Group], Number]
    format: Format = "number"
    is_rate: bool = False
    single: bool = False


def _count(label: str, name: str) -> Metric:
    return Metric(label, lambda group: int(getattr(group.counts, name)))


def _money(label: str, name: str) -> Metric:
    return Metric(label, lambda group: usd(getattr(group.counts, name)), "currency")


def _hit_rate(group: Group) -> Number:
    return _share(group.counts.cached_tokens, group.counts.prompt_tokens)


def _mean_latency(group: Group) -> Number:
    return _share(group.counts.latency_ms, group.counts.requests)


def _mean_throughput(group: Group) -> Number:
    return _share(sum(group.throughputs), len(group.throughputs))


def _share(part: float, whole: float) -> Number:
    return part / whole if whole else None


def _latency(percent: int) -> Metric:
    return _percentile(f"p{percent} Latency", lambda group: group.latencies, percent, "latency")


def _throughput(percent: int) -> Metric:
    label = f"p{percent} Throughput"
    return _percentile(label, lambda group: group.throughputs, percent, "throughput")


def _percentile(
    label: str, values_of: Callable[[Group], Sequence[float]], percent: int, form: Format
) -> Metric:
    """The nearest rank: the least value that so many percent do not exceed."""

    def value(group: Group) -> Number:
        values = sorted(values_of(group))
        return values[math.ceil(len(values) * percent / 100) - 1] if values else None

    return Metric(label, value, form, is_rate=True, single=True)


METRICS: Mapping[str, Metric] = {
    "request_count": _count("Request Count", "requests"),
    "tokens_total": _count("Total Tokens", "tokens"),
    "tokens_prompt": _count("Prompt Tokens", "prompt_tokens"),
    "tokens_completion": _count("Completion Tokens", "completion_tokens"),
    "reasoning_tokens": _count("Reasoning Tokens", "reasoning_tokens"),
    "cached_tokens": _count("Cached Tokens", "cached_tokens"),
    "total_usage": _money("Total Usage", "cost"),
    "cache_hit_rate": Metric("Cache Hit Rate", _hit_rate, "percent", is_rate=True),
    "avg_latency": Metric("Average Latency", _mean_latency, "latency", is_rate=True),
    **{f"p{percent}_latency": _latency(percent) for percent in (50, 90, 99)},
    "avg_throughput": Metric(
        "Average Throughput", _mean_throughput, "throughput", is_rate=True, single=True
    ),
    **{f"p{percent}_throughput": _throughput(percent) for percent in (50, 90, 99)},
    "error_count": _count("Errors", "errors"),
    "flag_count": _count("Flags", "flags"),
    "cache_discount": _money("Cache Discount", "cache_discount"),
    "move_count": _count("Moves", "moves"),
    "move_cost": _money("Cost of Moves", "move_cost"),
}
"""Those from `error_count` on are Hearth's own."""
