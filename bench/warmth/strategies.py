"""What is compared: ways to choose a provider for a call, all over the gateway's own providers.

Hearth's are its Pool. The others know which providers are well as the Pool does, from the same
health, and differ in nothing but the choice.
"""

from collections.abc import Callable, Collection, Sequence
from random import Random
from typing import Protocol

import msgspec

from gateway.config import Sticky
from gateway.routing.pool import Choice, Pool
from gateway.routing.provider import Provider


class Chooser(Protocol):
    """Gives one candidate at a time, as `gateway.routing.pool.Pool` does."""

    def choose(self, key: bytes, now: float, tried: Collection[str]) -> Choice | None:
        """Whom a call goes to next, `tried` having had their try; None when nobody is left."""


class LeastLoaded:
    """The pool without a key: the fewest calls in flight, equals in turns."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def choose(self, _key: bytes, now: float, tried: Collection[str]) -> Choice | None:
        return self._pool.choose(None, now, tried)


class RoundRobin:
    """Everyone in turn."""

    def __init__(self, pool: Pool) -> None:
        self._waiting = list(pool.members)

    def choose(self, _key: bytes, now: float, tried: Collection[str]) -> Choice | None:
        left = _left(self._waiting, now, tried)
        if not left:
            return None
        self._waiting.remove(left[0])
        self._waiting.append(left[0])
        return _chosen(left[0], tried)


class AtRandom:
    """Anyone, by dice of its own."""

    def __init__(self, pool: Pool) -> None:
        self._members = pool.members
        self._dice = Random(1)

    def choose(self, _key: bytes, now: float, tried: Collection[str]) -> Choice | None:
        left = _left(self._members, now, tried)
        return _chosen(self._dice.choice(left), tried) if left else None


class BetterOfTwo:
    """Of two drawn at random, the one with fewer calls in flight."""

    def __init__(self, pool: Pool) -> None:
        self._members = pool.members
        self._dice = Random(1)

    def choose(self, _key: bytes, now: float, tried: Collection[str]) -> Choice | None:
        left = _left(self._members, now, tried)
        if not left:
            return None
        two = self._dice.sample(left, min(2, len(left)))
        return _chosen(min(two, key=lambda provider: provider.in_flight), tried)


class Strategy(msgspec.Struct, frozen=True, kw_only=True):
    """`does` says it in a line; `sticky` is what the pool is made with."""

    name: str
    does: str
    sticky: Sticky = Sticky()
    chooser: Callable[[Pool], Chooser]


def _itself(pool: Pool) -> Chooser:
    return pool


STICKY = Strategy(
    name="sticky", does="Hearth's ring with its default settings, spill on", chooser=_itself
)
ROUND_ROBIN = Strategy(name="round robin", does="every provider in turn", chooser=RoundRobin)
STRATEGIES: tuple[Strategy, ...] = (
    STICKY,
    Strategy(
        name="sticky, no spill",
        does="the same ring; a user leaves home only when it is out",
        sticky=Sticky(floor=1_000_000),
        chooser=_itself,
    ),
    Strategy(
        name="sticky, eager spill",
        does="the same ring with `load_factor: 1.25`, `floor: 0`, a common default elsewhere",
        sticky=Sticky(load_factor=1.25, floor=0),
        chooser=_itself,
    ),
    ROUND_ROBIN,
    Strategy(
        name="least loaded",
        does="the fewest calls in flight, as Hearth does for calls without a user",
        chooser=LeastLoaded,
    ),
    Strategy(name="two choices", does="the less loaded of two random picks", chooser=BetterOfTwo),
    Strategy(name="random", does="any of them, at random", chooser=AtRandom),
)


def _left(members: Collection[Provider], now: float, tried: Collection[str]) -> Sequence[Provider]:
    """Those with a place that had no try: the well ones, or else all of them."""
    left = [p for p in members if p.name not in tried and p.in_flight < p.max_in_flight]
    return [p for p in left if p.available(now)] or left


def _chosen(provider: Provider, tried: Collection[str]) -> Choice:
    return Choice(provider, "failover" if tried else "unkeyed")
