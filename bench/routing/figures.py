"""The figures: shares and moves of the ring, the time of a choice, and who is at home."""

import random
from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from heapq import heappop, heappush
from itertools import accumulate
from statistics import median, quantiles
from time import perf_counter_ns

import msgspec

from gateway.config import Config
from gateway.config import Provider as Settings
from gateway.routing.pool import Pool
from gateway.routing.provider import Provider
from gateway.routing.ring import Ring
from gateway.routing.router import Router
from gateway.routing.verdict import SICK

POINTS = 12288
LISTS = 50
USERS = 100_000
ROUNDS = 10
"""Others run on the machine too, and take the caches of its cores in turns."""
NOW = 1000.0
_PATTERNS = ("provider-{}", "openai-{}", "azure/{}/gpt", "gpu{}.example.com", "eu-{}-west")


class Balance(msgspec.Struct, frozen=True):
    """Of LISTS lists of providers: the largest share, as a multiple of the fair one, and the
    standard deviation of all."""

    peak: float
    deviation: float


class Moved(msgspec.Struct, frozen=True):
    """Shares of USERS: `lost` lived with the one of `count` that left, and `left` moved; `joined`
    moved when one more came, `most` may."""

    count: int
    lost: float
    left: float
    joined: float

    @property
    def most(self) -> float:
        return 1 / (self.count + 1) + 0.01


class Lookup(msgspec.Struct, frozen=True):
    """Nanoseconds of a choice: the median and the 99th percentile of the quietest of ROUNDS."""

    median: float
    p99: float


def balance(count: int) -> Balance:
    """How even the shares of LISTS rings are, each of providers with other names."""
    loads: list[float] = []
    for number in range(LISTS):
        pattern = _PATTERNS[number % len(_PATTERNS)]
        names = [pattern.format(f"{number}-{each}") for each in range(count)]
        loads += (share * count for share in _ring(names).shares().values())
    return Balance(max(loads), (sum((load - 1) ** 2 for load in loads) / len(loads)) ** 0.5)


def moved(count: int) -> Moved:
    """Look up where each user lives before and after a provider leaves, and one joins."""
    names = [f"provider-{number}" for number in range(count)]
    before, without, with_one = _ring(names), _ring(names[1:]), _ring([*names, "newcomer"])
    users = list(_keys(USERS))
    homes = [before.home(user) for user in users]
    left = _differing(homes, without, users)
    joined = _differing(homes, with_one, users)
    return Moved(count, homes.count(names[0]) / USERS, left, joined)


def lookup(count: int, sick: int, users: int) -> Lookup:
    """Time choices for so many users among `count` providers, `sick` of which are out, and subtract
    the timer's own time."""
    pool = _pool(count)
    for provider in list(pool.members)[:sick]:
        for _ in range(5):
            provider.health.observe(SICK, NOW)
    keys = list(_keys(users))
    random.Random(5).shuffle(keys)
    timer = median(_times(lambda key: None, keys))
    rounds = [_times(lambda key: pool.choose(key, NOW), keys[at::ROUNDS]) for at in range(ROUNDS)]
    quietest = [taken - timer for taken in min(rounds, key=median)]
    return Lookup(median(quietest), quantiles(quietest, n=100)[-1])


def at_home(in_flight: int, calls: int = 50_000, names: str = "provider-{}") -> float:
    """The share of calls at home with so many in flight, without faults: users by Zipf 1.1 call 5
    providers at random moments, with the default settings."""
    pool, dice = _pool(5, names), random.Random(11)
    weights = list(accumulate(rank**-1.1 for rank in range(1, 10_001)))
    keys = list(_keys(len(weights)))
    under_way: list[tuple[float, int, Provider]] = []
    moment, home = 0.0, 0
    for number in range(calls):
        moment += dice.expovariate(in_flight)
        while under_way and under_way[0][0] <= moment:
            heappop(under_way)[2].in_flight -= 1
        choice = pool.choose(keys[bisect(weights, dice.random() * weights[-1])], NOW)
        if choice is not None:
            home += choice.route == "home"
            choice.provider.in_flight += 1
            heappush(under_way, (moment + dice.expovariate(1), number, choice.provider))
    return home / calls


def _ring(names: Sequence[str]) -> Ring:
    return Ring(dict.fromkeys(names, 1.0), POINTS)


def _pool(count: int, names: str = "provider-{}") -> Pool:
    named = (names.format(number) for number in range(count))
    providers = tuple(Settings(name=name, base_url="http://127.0.0.1:9") for name in named)
    return Router(Config(providers=providers)).pool(None)


def _keys(count: int) -> Iterator[bytes]:
    return (f"my-app\0user_{number}".encode() for number in range(count))


def _differing(homes: Sequence[str], after: Ring, users: Sequence[bytes]) -> float:
    moves = sum(home != after.home(user) for home, user in zip(homes, users, strict=True))
    return moves / len(users)


def _times(act: Callable[[bytes], object], keys: Sequence[bytes]) -> list[int]:
    times: list[int] = []
    for key in keys:
        began = perf_counter_ns()
        act(key)
        times.append(perf_counter_ns() - began)
    return times
