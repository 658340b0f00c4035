"""Where a call may go: the providers that serve a model, in the order they should be tried."""

from collections.abc import Iterator, Sequence

import msgspec

from gateway.config import Config
from gateway.generation import Route
from gateway.routing.provider import Provider
from gateway.routing.ring import Ring


class Candidate(msgspec.Struct, frozen=True):
    """A provider to try, and why it is this one's turn."""

    provider: Provider
    route: Route


class Pool:
    """The providers that serve the same models, and their ring."""

    def __init__(self, providers: Sequence[Provider], points: int) -> None:
        self._providers = {p.name: p for p in providers if p.settings.weight > 0}
        self._unkeyed_turns = dict.fromkeys(self._providers, 0)
        self.ring = Ring({p.name: p.settings.weight for p in providers}, points)

    def __len__(self) -> int:
        return len(self._providers)

    def candidates(self, key: bytes | None) -> Iterator[Candidate]:
        """Available providers, best first; asked for one at a time, so each choice is up to date.

        With a key: its home, else (home being full) the next choice as `spill`; those after the
        first are `failover`. Without one: the least loaded, in turns.
        """
        if key is None:
            return self._spread()
        return self._stay_home(key)

    def _stay_home(self, key: bytes) -> Iterator[Candidate]:
        route: Route = "home"
        for name in self.ring.walk(key):
            provider = self._providers[name]
            if provider.available():
                yield Candidate(provider, route)
                route = "failover"
            elif route == "home":
                route = "spill"

    def _spread(self) -> Iterator[Candidate]:
        waiting = set(self._providers)
        while waiting:
            name = min(waiting, key=self._load)
            waiting.remove(name)
            if self._providers[name].available():
                self._unkeyed_turns[name] += 1
                yield Candidate(self._providers[name], "unkeyed")

    def _load(self, name: str) -> tuple[float, float, str]:
        provider = self._providers[name]
        weight = provider.settings.weight
        return provider.in_flight / weight, self._unkeyed_turns[name] / weight, name


class Router:
    """Model -> pool. Providers that serve the same set of models share one ring."""

    def __init__(self, config: Config) -> None:
        self.providers = {settings.name: Provider(settings) for settings in config.providers}
        self._points = config.sticky.points
        self._by_names: dict[tuple[str, ...], Pool] = {}
        named = {m for settings in config.providers for m in settings.upstream_models or {}}
        self._by_model = {model: self._pool_for(model) for model in named}
        self._any_model = self._pool_for("")
        self._no_model = self._pool_for(None)

    def pool(self, model: str | None) -> Pool:
        """The providers that serve `model`; an empty pool when none does."""
        if model is None:
            return self._no_model
        return self._by_model.get(model, self._any_model)

    def _pool_for(self, model: str | None) -> Pool:
        serving = [p for p in self.providers.values() if p.settings.serves(model)]
        names = tuple(sorted(p.name for p in serving))
        if names not in self._by_names:
            self._by_names[names] = Pool(serving, self._points)
        return self._by_names[names]
