"""The counts of one process at one moment; those of several add up to one of the same kind."""

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any, Protocol, Self, TypeVar

import msgspec

from gateway.metrics.resources import Resources
from gateway.routing.provider import Provider

KeyT = TypeVar("KeyT")


class Addable(Protocol):
    """Values of one type that can be added up."""

    def plus(self, other: Self, /) -> Self: ...


AddableT = TypeVar("AddableT", bound=Addable)


def summed(rows: Iterable[tuple[KeyT, AddableT]]) -> dict[KeyT, AddableT]:
    """The sum of each key's values, in the order the keys came."""
    sums: dict[KeyT, AddableT] = {}
    for key, value in rows:
        sums[key] = sums[key].plus(value) if key in sums else value
    return sums


class Histogram(msgspec.Struct, frozen=True, array_like=True):
    """Milliseconds: their sum, and how many fell into each bucket; the last one has no bound."""

    total: int
    buckets: tuple[int, ...]

    def plus(self, other: Self) -> Self:
        buckets = tuple(map(sum, zip(self.buckets, other.buckets, strict=True)))
        return type(self)(self.total + other.total, buckets)


class CallLabels(msgspec.Struct, frozen=True, array_like=True):
    """What calls are grouped by; empty where there is none. `status` is a class, as `2xx`."""

    provider: str
    model: str
    route: str
    outcome: str
    status: str


class CallCounts(msgspec.Struct, frozen=True, array_like=True):
    """Sums over calls: tokens, nano-dollars and times.

    `cache_saved` and `cache_surcharge` are the positive and the negative cache discounts, each by
    itself so that neither ever falls.
    """

    requests: int
    prompt_tokens: int
    completion_tokens: int
    reasoning_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    cost: int
    cache_saved: int
    cache_surcharge: int
    moves: int
    move_cost: int
    duration: Histogram
    first_byte: Histogram

    def plus(self, other: Self) -> Self:
        pairs = zip(msgspec.structs.astuple(self), msgspec.structs.astuple(other), strict=True)
        sums: list[Any] = [
            one.plus(two) if isinstance(one, Histogram) else one + two for one, two in pairs
        ]
        return type(self)(*sums)


class UserLabels(msgspec.Struct, frozen=True, array_like=True):
    """An end user of a key."""

    key: str
    user: str


class UserCounts(msgspec.Struct, frozen=True, array_like=True):
    """Sums over an end user's calls; `cost` is nano-dollars."""

    requests: int
    tokens: int
    cost: int

    def plus(self, other: Self) -> Self:
        return type(self)(
            self.requests + other.requests, self.tokens + other.tokens, self.cost + other.cost
        )


class ProviderState(msgspec.Struct, frozen=True, kw_only=True):
    """A provider at the moment. `routed`: calls that were ever sent to it, by route."""

    name: str
    in_flight: int
    max_in_flight: int
    is_out: bool
    routed: dict[str, int] = {}

    def plus(self, other: Self) -> Self:
        """As two processes see it; it is out when it is out for either."""
        return type(self)(
            name=self.name,
            in_flight=self.in_flight + other.in_flight,
            max_in_flight=self.max_in_flight + other.max_in_flight,
            is_out=self.is_out or other.is_out,
            routed=_both(self.routed, other.routed),
        )

    def leaving(self) -> Self:
        """As it is for a process that takes no more calls: with places for those that are here, and
        not out, as the processes that take calls may have it mended."""
        return msgspec.structs.replace(self, max_in_flight=self.in_flight, is_out=False)


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """All counts of some processes since they started, of which `processes` still take calls.

    `attempts`: provider -> result -> number. `flags`, `checks` (moderations) and `ejections`: type,
    result or provider -> number. `lost`: generations that the journal could not take.
    `store_failures`: attempts to reach the store that failed. `is_config_refused`: they serve with
    the configuration before the one that its file has. `resources`: what processes take, by what
    they are: `supervisor` or `worker`.
    """

    calls: Sequence[tuple[CallLabels, CallCounts]] = ()
    users: Sequence[tuple[UserLabels, UserCounts]] = ()
    attempts: dict[str, dict[str, int]] = {}
    flags: dict[str, int] = {}
    checks: dict[str, int] = {}
    ejections: dict[str, int] = {}
    lost: int = 0
    store_failures: int = 0
    is_config_refused: bool = False
    providers: Sequence[ProviderState] = ()
    resources: dict[str, Resources] = {}
    processes: int = 1

    def past(self) -> Self:
        """What is still true of it once the processes have ended."""
        resources = {kind: each.past() for kind, each in self.resources.items()}
        return msgspec.structs.replace(self, providers=(), resources=resources, processes=0)

    def plus(self, other: Self) -> Self:
        providers = (*self.providers, *other.providers)
        return type(self)(
            calls=tuple(summed((*self.calls, *other.calls)).items()),
            users=tuple(summed((*self.users, *other.users)).items()),
            attempts={
                name: _both(self.attempts.get(name, {}), other.attempts.get(name, {}))
                for name in {**self.attempts, **other.attempts}
            },
            flags=_both(self.flags, other.flags),
            checks=_both(self.checks, other.checks),
            ejections=_both(self.ejections, other.ejections),
            lost=self.lost + other.lost,
            store_failures=self.store_failures + other.store_failures,
            is_config_refused=self.is_config_refused or other.is_config_refused,
            providers=tuple(summed((each.name, each) for each in providers).values()),
            resources=summed((*self.resources.items(), *other.resources.items())),
            processes=self.processes + other.processes,
        )


def merged(snapshots: Iterable[Snapshot]) -> Snapshot:
    """The counts of several processes as one; of none, nothing."""
    return reduce(Snapshot.plus, snapshots, Snapshot(processes=0))


def provider_states(providers: Iterable[Provider], now: float) -> tuple[ProviderState, ...]:
    """How each provider is at `now`, monotonic seconds."""
    return tuple(
        ProviderState(
            name=provider.name,
            in_flight=provider.in_flight,
            max_in_flight=provider.max_in_flight,
            is_out=now < provider.health.out_until,
            routed={str(route): calls for route, calls in provider.routed.items()},
        )
        for provider in providers
    )


def _both(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}
