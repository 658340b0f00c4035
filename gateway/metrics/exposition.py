"""The counts as Prometheus reads them: in its text format, or as OpenMetrics.

Names: prometheus.io/docs/practices/naming. Everything is in seconds, bytes, tokens and USD.
"""

import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import attrgetter

import msgspec
from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from gateway import __version__
from gateway.ledger.shipper import Lag
from gateway.metrics.buckets import DURATION, FIRST_BYTE, cumulative
from gateway.metrics.resources import Resources
from gateway.metrics.snapshot import (
    CallCounts,
    CallLabels,
    ProviderState,
    Snapshot,
    UserCounts,
    summed,
)
from gateway.money import usd

_MODEL = ("provider", "model")
_WAY = (*_MODEL, "route")

_Sums = Mapping[tuple[str, ...], CallCounts]
"""By the values of the labels."""


def expose(snapshot: Snapshot, lag: Lag, accept: str) -> tuple[bytes, str]:
    """Body and Content-Type; `accept` is the scraper's header. Takes milliseconds."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Exposition(snapshot, lag))
    try:
        encode, content_type = choose_encoder(accept)
    except TypeError:  # by a version that is no number
        encode, content_type = choose_encoder("")
    return encode(registry), content_type


class _Exposition(Collector):
    """One scrape."""

    def __init__(self, snapshot: Snapshot, lag: Lag) -> None:
        self._snapshot = snapshot
        self._lag = lag

    def collect(self) -> Iterator[Metric]:
        snapshot = self._snapshot
        yield _build()
        yield _gauge("hearth_processes", "Worker processes that take calls", snapshot.processes)
        yield _gauge(
            "hearth_config_last_reload_successful",
            "0 while a new configuration is refused, and the old one in force",
            0 if snapshot.is_config_refused else 1,
        )
        yield from _calls(snapshot)
        yield from _events(snapshot)
        yield from _providers(snapshot.providers)
        yield from _ledger(snapshot, self._lag)
        yield from _processes(snapshot.resources)
        if snapshot.users:
            yield from _users(snapshot)


def _build() -> Metric:
    text = {"version": __version__, "python": platform.python_version()}
    return InfoMetricFamily("hearth_build", "What runs", value=text)


def _calls(snapshot: Snapshot) -> Iterator[Metric]:
    labels = CallLabels.__struct_fields__
    requests = CounterMetricFamily("hearth_requests", "Requests settled", labels=labels)
    for call, counts in snapshot.calls:
        requests.add_metric(msgspec.structs.astuple(call), counts.requests)
    yield requests
    ways = _sums(snapshot, _WAY)
    yield _tokens(ways)
    for name, text, value in _BY_WAY:
        family = CounterMetricFamily(name, text, labels=_WAY)
        for key, counts in ways.items():
            family.add_metric(key, value(counts))
        yield family
    yield from _times(_sums(snapshot, _MODEL))


def _sums(snapshot: Snapshot, labels: Sequence[str]) -> _Sums:
    values = attrgetter(*labels)
    return summed((values(call), counts) for call, counts in snapshot.calls)


_BY_WAY: Sequence[tuple[str, str, Callable[[CallCounts], float]]] = (
    ("hearth_cost_usd", "What requests cost", lambda counts: usd(counts.cost)),
    (
        "hearth_cache_saved_usd",
        "What cached prompts saved",
        lambda counts: usd(counts.cache_saved),
    ),
    (
        "hearth_cache_surcharge_usd",
        "What writing prompts to caches cost more than cached prompts saved",
        lambda counts: usd(counts.cache_surcharge),
    ),
    (
        "hearth_moves",
        "Requests that went to another provider than their user's before",
        lambda counts: counts.moves,
    ),
    (
        "hearth_move_cost_usd",
        "What prompts cost more because a move found a cold cache",
        lambda counts: usd(counts.move_cost),
    ),
)


def _tokens(sums: _Sums) -> Metric:
    family = CounterMetricFamily(
        "hearth_tokens",
        "Tokens; those cached and written are part of the prompt, reasoning of the completion",
        labels=(*_WAY, "type"),
    )
    for key, counts in sums.items():
        family.add_metric((*key, "prompt"), counts.prompt_tokens)
        family.add_metric((*key, "cached"), counts.cached_tokens)
        family.add_metric((*key, "cache_write"), counts.cache_write_tokens)
        family.add_metric((*key, "completion"), counts.completion_tokens)
        family.add_metric((*key, "reasoning"), counts.reasoning_tokens)
    return family


def _times(sums: _Sums) -> Iterator[Metric]:
    duration = HistogramMetricFamily(
        "hearth_request_duration_seconds", "From the head to the last byte", labels=_MODEL
    )
    first_byte = HistogramMetricFamily(
        "hearth_first_byte_seconds", "From the head to the provider's first byte", labels=_MODEL
    )
    for key, counts in sums.items():
        spread, seconds = cumulative(counts.duration, DURATION), counts.duration.total / 1000
        duration.add_metric(key, spread, seconds)
        spread, seconds = cumulative(counts.first_byte, FIRST_BYTE), counts.first_byte.total / 1000
        first_byte.add_metric(key, spread, seconds)
    yield duration
    yield first_byte


def _events(snapshot: Snapshot) -> Iterator[Metric]:
    attempts = CounterMetricFamily(
        "hearth_attempts",
        "Tries at a provider, by status class or by the reason why there is none",
        labels=("provider", "result"),
    )
    for provider, results in snapshot.attempts.items():
        for result, count in results.items():
            attempts.add_metric((provider, result), count)
    yield attempts
    yield _counter("hearth_flags", "Flags on requests", "type", snapshot.flags)
    yield _counter(
        "hearth_provider_ejections",
        "Times that failing calls put it out",
        "provider",
        snapshot.ejections,
    )
    yield _counter(
        "hearth_moderation_checks", "Moderations before forwarding", "result", snapshot.checks
    )


def _providers(states: Sequence[ProviderState]) -> Iterator[Metric]:
    for name, text, value in _OF_PROVIDERS:
        family = GaugeMetricFamily(name, text, labels=("provider",))
        for state in states:
            family.add_metric((state.name,), value(state))
        yield family


_OF_PROVIDERS: Sequence[tuple[str, str, Callable[[ProviderState], float]]] = (
    ("hearth_provider_in_flight", "Calls in flight", lambda state: state.in_flight),
    (
        "hearth_provider_max_in_flight",
        "Calls that it may have in flight",
        lambda state: state.max_in_flight,
    ),
    (
        "hearth_provider_up",
        "0 while it is left alone: ejected, paused, or its probe fails",
        lambda state: 0 if state.is_out else 1,
    ),
)


def _ledger(snapshot: Snapshot, lag: Lag) -> Iterator[Metric]:
    yield CounterMetricFamily(
        "hearth_generations_lost", "Records that the journal could not take", snapshot.lost
    )
    yield CounterMetricFamily(
        "hearth_store_failures",
        "Times that the store could not be reached, or the journals not be read",
        snapshot.store_failures,
    )
    yield _gauge("hearth_store_up", "0 while the store does not answer", 0 if lag.error else 1)
    yield _gauge("hearth_ledger_waiting_bytes", "Bytes not yet in the store", lag.waiting)
    yield _gauge("hearth_ledger_lag_seconds", "Age of the oldest record not in it", lag.oldest)
    yield _gauge("hearth_ledger_corrupt_lines", "Corrupt lines in the journals", lag.corrupt)


def _processes(resources: Mapping[str, Resources]) -> Iterator[Metric]:
    cpu = CounterMetricFamily("hearth_process_cpu_seconds", "CPU time", labels=("process",))
    for kind, each in resources.items():
        cpu.add_metric((kind,), each.cpu)
    yield cpu
    for name, text, value in _OF_PROCESSES:
        family = GaugeMetricFamily(name, text, labels=("process",))
        for kind, each in resources.items():
            family.add_metric((kind,), value(each))
        yield family


_OF_PROCESSES: Sequence[tuple[str, str, Callable[[Resources], float]]] = (
    ("hearth_process_resident_memory_bytes", "Resident memory", lambda each: each.memory),
    ("hearth_process_open_fds", "Open file descriptors", lambda each: each.open_fds),
    ("hearth_process_max_fds", "How many file descriptors may be open", lambda each: each.max_fds),
)


def _users(snapshot: Snapshot) -> Iterator[Metric]:
    for name, text, value in _OF_USERS:
        family = CounterMetricFamily(name, text, labels=("key", "user"))
        for labels, counts in snapshot.users:
            family.add_metric((labels.key, labels.user), value(counts))
        yield family


_OF_USERS: Sequence[tuple[str, str, Callable[[UserCounts], float]]] = (
    ("hearth_user_requests", "Requests of an end user", lambda counts: counts.requests),
    ("hearth_user_tokens", "Tokens of an end user", lambda counts: counts.tokens),
    ("hearth_user_cost_usd", "What an end user cost", lambda counts: usd(counts.cost)),
)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _counter(name: str, text: str, label: str, counts: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(name, text, labels=(label,))
    for value, count in counts.items():
        family.add_metric((value,), count)
    return family
