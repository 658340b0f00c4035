"""The candidates of one call: over its models, and over each model's providers."""

from collections.abc import Collection, Sequence
from typing import Final

from gateway.calls.call import Call
from gateway.config import StickySource
from gateway.generation import Route
from gateway.pricing.prices import Prices
from gateway.routing.pool import Choice, Pool
from gateway.routing.preferences import (
    Preferences,
    PriceOf,
    Terms,
    nobody_left,
    read_preferences,
    terms_of,
)
from gateway.routing.provider import Provider
from gateway.routing.router import Router


class Candidate:
    """A provider to try, why it is this one's turn, and the model it is asked for."""

    def __init__(self, provider: Provider, route: Route, model: str | None) -> None:
        self.provider: Final = provider
        self.route: Final[Route] = route
        self.model: Final = model


class Leg:
    """One model of a call, and who may be asked for it."""

    def __init__(self, model: str | None, pool: Pool, terms: Terms | None = None) -> None:
        self.model: Final = model
        self.pool: Final = pool
        self.terms: Final = terms

    def choose(self, key: bytes | None, now: float, tried: Collection[str]) -> Choice | None:
        """The next provider to ask; None when nobody is left."""
        terms = self.terms
        if terms is None:
            return self.pool.choose(key, now, tried)
        if terms.is_single and tried:
            return None
        ordered = self.pool.first_of(terms.order, now, tried)
        return ordered or self.pool.choose(key, now, tried, terms.barred)


class Plan:
    """Gives candidates one at a time, so each choice is up to date. `key`: the user's place on the
    ring, None where there is none."""

    def __init__(self, key: bytes | None, legs: list[Leg]) -> None:
        self.key = key
        self._legs = legs
        self._position = 0
        self._tried: list[str] = []

    def next(self, now: float) -> Candidate | None:
        """The next one to try at `now`, monotonic seconds; None when everyone had a try."""
        while self._position < len(self._legs):
            leg = self._legs[self._position]
            choice = leg.choose(self.key, now, self._tried)
            if choice is not None:
                self._tried.append(choice.provider.name)
                route = "failover" if self._position else choice.route
                return Candidate(choice.provider, route, leg.model)
            self._position += 1
            self._tried = []
        return None


class Planner:
    """Makes the plan of each call."""

    def __init__(self, router: Router, prices: Prices, sources: tuple[StickySource, ...]) -> None:
        self._router = router
        self._prices = prices
        self._sources = sources

    def plan(self, call: Call, body: bytes) -> Plan:
        """Where `call` may go. ModelNotFound when nobody serves its model, nor any other it names,
        NoProvider when who does is drained; NotFound or BadRequest when its preferences leave
        nobody."""
        models: tuple[str | None, ...] = call.models or (call.model,)
        legs = [Leg(model, pool) for model in models if (pool := self._router.pool(model))]
        if not legs:
            raise self._router.nobody(models)
        if call.provider is not None and (wanted := read_preferences(call.provider)):
            legs = self._narrowed(legs, wanted)
        return Plan(call.sticky_key(self._sources, body), legs)

    def _narrowed(self, legs: Sequence[Leg], wanted: Preferences) -> list[Leg]:
        narrowed = [
            Leg(leg.model, leg.pool, terms_of(wanted, leg.pool.members, self._price_of(leg.model)))
            for leg in legs
        ]
        left = [leg for leg in narrowed if leg.terms and len(leg.terms.barred) < len(leg.pool)]
        if not left:
            raise nobody_left(wanted)
        return left

    def _price_of(self, model: str | None) -> PriceOf:
        def price_of(provider: Provider) -> tuple[int, int] | None:
            return self._prices.per_million(provider.name, provider.upstream_model(model))

        return price_of
