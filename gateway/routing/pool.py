"""Where a call may go: the providers of a model, in the order they should be tried."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

from gateway.config import Sticky
from gateway.generation import Route
from gateway.routing.load import Bound
from gateway.routing.obstacle import DETOURS, Obstacle, obstacle_at
from gateway.routing.provider import Provider
from gateway.routing.ring import Ring

_NONE: Final[frozenset[str]] = frozenset()


class Choice:
    """A provider to try, and why it is this one's turn."""

    def __init__(self, provider: Provider, route: Route) -> None:
        self.provider: Final = provider
        self.route: Final[Route] = route


class Pool:
    """The providers that serve the same models, and their ring. Every `now` is monotonic seconds.

    Providers that calls have shown to be sick are passed over, the first to fall ill first, until
    they and those that are down make half of the pool. Where nobody else is left, even a provider
    that is out is tried: with all of them out, the ring's order holds as if all were in.
    Those of weight 0 are drained: they take no calls. `is_drained`: there are no others.
    """

    def __init__(self, providers: Sequence[Provider], sticky: Sticky) -> None:
        self._providers = {p.name: p for p in providers if p.weight > 0}
        self._members = list(self._providers.values())
        self.is_drained: Final = bool(providers) and not self._members
        self._weight = sum([each.weight for each in self._members], 0.0)
        self._sticky = sticky
        self._floor = sticky.floor
        self._homes = {name: Choice(each, "home") for name, each in self._providers.items()}
        self._everyone = dict.fromkeys(self._providers, 1.0)
        self._passes = dict.fromkeys(self._providers, 0.0)
        self._pass = 0.0
        self.ring = Ring({p.name: p.weight for p in providers}, sticky.points)

    def __len__(self) -> int:
        return len(self._providers)

    @property
    def members(self) -> Collection[Provider]:
        """The providers that are not drained."""
        return self._members

    def choose(
        self,
        key: bytes | None,
        now: float,
        tried: Collection[str] = _NONE,
        barred: Collection[str] = _NONE,
    ) -> Choice | None:
        """Whom a call goes to next; None when nobody is left.

        With a key: its home, else whoever is next on the ring with the least against it. Without
        one: the least loaded, in turns. `tried` had their try; `barred` are not wanted.
        """
        if key is None:
            return self._least_loaded(now, tried, barred)
        if self._homes and not tried and not barred:
            home = self._homes[self.ring.home(key)]
            if self._is_at_ease(home.provider, now):
                return home
        return self._next_best(key, now, tried, barred)

    def first_of(self, names: Iterable[str], now: float, tried: Collection[str]) -> Choice | None:
        """The first of `names` that had no try and is available."""
        for name in names:
            provider = self._providers[name]
            if name not in tried and provider.available(now):
                return Choice(provider, "failover" if tried else "pinned")
        return None

    def obstacles(self, key: bytes, now: float) -> Iterator[tuple[Provider, Obstacle]]:
        """Every provider in the key's order of choice, with what is against it now."""
        shares = self._shares(now)
        counted = [(self._providers[name], share) for name, share in shares.items()]
        calls = sum([provider.in_flight for provider, _ in counted])
        weight = sum([provider.weight * share for provider, share in counted], 0.0)
        bound = Bound(self._sticky, calls, weight)
        for name in self.ring.walk(key):
            provider = self._providers[name]
            yield provider, obstacle_at(provider, key, shares.get(name), bound)

    def _is_at_ease(self, provider: Provider, now: float) -> bool:
        """Whether nothing about it needs a closer look, which is how it is nearly always."""
        calls = provider.in_flight
        if now < provider.health.recovered_at or calls >= provider.max_in_flight:
            return False
        return calls < self._floor or self._is_among_equals(provider, now)

    def _is_among_equals(self, provider: Provider, now: float) -> bool:
        """Whether all are well, and it is not busier than its share of all calls."""
        calls = 0
        for each in self._members:
            if now < each.health.recovered_at:
                return False
            calls += each.in_flight
        return not Bound(self._sticky, calls, self._weight).is_over(provider, 1.0)

    def _next_best(
        self, key: bytes, now: float, tried: Collection[str], barred: Collection[str]
    ) -> Choice | None:
        best: Provider | None = None
        least = Obstacle.FULL
        home, detour = None, Obstacle.NOTHING
        for provider, obstacle in self.obstacles(key, now):
            if home is None:
                home, detour = provider, obstacle
            if obstacle < least and provider.name not in tried and provider.name not in barred:
                best, least = provider, obstacle
                if obstacle is Obstacle.NOTHING:
                    break
        if best is None or home is None:
            return None
        if tried:
            return Choice(best, "failover")
        if best is home:
            return Choice(best, "home")
        return Choice(best, "pinned" if home.name in barred else DETOURS[detour])

    def _least_loaded(
        self, now: float, tried: Collection[str], barred: Collection[str]
    ) -> Choice | None:
        shares = self._shares(now)
        left = [
            p
            for p in self._providers.values()
            if p.name not in tried and p.name not in barred and p.in_flight < p.max_in_flight
        ]
        left = [p for p in left if shares.get(p.name)] or left
        if not left:
            return None
        turns = [self._turn(p, p.weight * (shares.get(p.name) or 1.0)) for p in left]
        _, turn, name, weight = min(turns)
        self._pass, self._passes[name] = turn, turn + 1 / weight
        return Choice(self._providers[name], "failover" if tried else "unkeyed")

    def _turn(self, provider: Provider, weight: float) -> tuple[float, float, str, float]:
        """Stride scheduling among the equally loaded.

        Turns that a provider missed while it was out are not made up for. None waits longer than
        its present weight says: one that is coming back had next to no weight before.
        """
        turn = min(max(self._pass, self._passes[provider.name]), self._pass + 1 / weight)
        return provider.in_flight / weight, turn, provider.name, weight

    def _shares(self, now: float) -> dict[str, float]:
        """The part of its users that may go to each provider that is not out."""
        if all(now >= p.health.recovered_at for p in self._providers.values()):
            return self._everyone
        out = [p for p in self._providers.values() if now < p.health.out_until]
        down = [p for p in out if p.health.is_down]
        ejected = sorted(
            (p for p in out if not p.health.is_down), key=lambda p: (p.health.out_since, p.name)
        )
        spared = ejected[max(0, len(self) // 2 - len(down)) :]
        shares = {
            p.name: p.health.returned_share(now)
            for p in self._providers.values()
            if now >= p.health.out_until
        }
        return shares | {p.name: 1.0 for p in spared}
