"""The gateway's routing in simulated time: its own Pool and Health, with a clock by hand.

Calls come when the workload says, whatever became of those before, so that every strategy gets the
same ones at the same time. A call that is refused, or whose provider dies before the first token,
goes to the next candidate; one whose answer has begun is cut.
"""

from collections.abc import Callable, Sequence
from functools import partial
from heapq import heappop, heappush
from typing import Literal

import msgspec

from bench.warmth.backend import Backend, Hardware, Visit
from bench.warmth.outcome import Served
from bench.warmth.strategies import Strategy
from bench.warmth.workload import Call
from gateway.config import Config, Health
from gateway.config import Provider as Settings
from gateway.routing.pool import Choice
from gateway.routing.provider import Provider
from gateway.routing.router import Router
from gateway.routing.verdict import SICK

MODEL = "gpt-5-mini"


class Outage(msgspec.Struct, frozen=True):
    """A provider is dead from `begins` to `ends`, seconds; it comes back with an empty cache."""

    provider: str
    begins: float
    ends: float


def provider_names(count: int) -> tuple[str, ...]:
    """`provider-a`, `provider-b` and so on."""
    return tuple(f"provider-{chr(ord('a') + number)}" for number in range(count))


def settings_of(count: int) -> tuple[Settings, ...]:
    """Providers of equal weight with default settings, priced by OpenAI's catalogue."""
    return tuple(
        Settings(name=name, base_url="https://api.openai.com/v1", health=Health())
        for name in provider_names(count)
    )


def key_of(user: int) -> bytes:
    """The ring's key, as of a gateway without API keys."""
    return b"default\0user_%d" % user


class _Visitor(msgspec.Struct, frozen=True, eq=False):
    """A call under way, known by itself."""

    call: Call
    tried: set[str]
    choice: Choice
    visit: Visit


class Simulation:
    """One strategy, from the first call to the last. Used once."""

    def __init__(
        self, strategy: Strategy, providers: int, hardware: Hardware, outage: Outage | None = None
    ) -> None:
        self._now = 0.0
        config = Config(providers=settings_of(providers), sticky=strategy.sticky)
        router = Router(config)
        pool = router.pool(MODEL)
        self._chooser = strategy.chooser(pool)
        self._providers = router.providers
        self._backends = {name: Backend(hardware, self._clock) for name in router.providers}
        self._outage = outage
        self._order = 0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._visitors: dict[str, set[_Visitor]] = {name: set() for name in router.providers}
        self._served: list[Served] = []

    def run(self, calls: Sequence[Call]) -> list[Served]:
        """What became of each of `calls`, which are in the order of their time, in that order."""
        self._plan_probes(calls[-1].at)
        if self._outage is not None:
            self._at(self._outage.begins, partial(self._die, self._outage.provider))
            self._at(self._outage.ends, self._backends[self._outage.provider].start)
        for call in calls:
            self._advance(call.at)
            self._route(call, set())
        self._advance(float("inf"))
        return sorted(self._served, key=lambda each: each.at)

    def _clock(self) -> float:
        return self._now

    def _at(self, moment: float, action: Callable[[], None]) -> None:
        self._order += 1
        heappush(self._events, (moment, self._order, action))

    def _advance(self, until: float) -> None:
        """Let happen what happens before `until`, and stop the clock there."""
        while self._events and self._events[0][0] <= until:
            self._now, _, action = heappop(self._events)
            action()
        self._now = max(self._now, until)

    def _plan_probes(self, until: float) -> None:
        for provider in self._providers.values():
            health = provider.settings.health
            if health is not None:
                for number in range(int(until / health.interval) + 1):
                    self._at(number * health.interval, partial(self._probe, provider))

    def _probe(self, provider: Provider) -> None:
        provider.health.probed(self._backends[provider.name].is_up, self._now)

    def _route(self, call: Call, tried: set[str]) -> None:
        """Ask one after the other until somebody takes the call."""
        while choice := self._chooser.choose(key_of(call.user), self._now, tried):
            provider = choice.provider
            tried.add(provider.name)
            provider.routed[choice.route] += 1
            if self._backends[provider.name].is_up:
                self._admit(call, tried, choice)
                return
            provider.health.observe(SICK, self._now)
        self._served.append(Served(call.at, call.user, call.prompt, 0, "failed"))

    def _admit(self, call: Call, tried: set[str], choice: Choice) -> None:
        provider = choice.provider
        visit = self._backends[provider.name].take(call, provider.in_flight)
        provider.in_flight += 1
        visitor = _Visitor(call, tried, choice, visit)
        self._visitors[provider.name].add(visitor)
        self._at(visit.done_at, partial(self._finish, visitor))

    def _finish(self, visitor: _Visitor) -> None:
        provider = visitor.choice.provider
        if visitor in self._visitors[provider.name]:
            self._leave(visitor)
            provider.health.succeeded(self._now)
            self._record(visitor, "ok")

    def _die(self, name: str) -> None:
        """The provider goes down with everyone in it, first come first."""
        self._backends[name].die()
        for visitor in sorted(self._visitors[name], key=lambda each: each.visit.first_at):
            self._leave(visitor)
            visitor.choice.provider.health.observe(SICK, self._now)
            if visitor.visit.first_at <= self._now:
                self._record(visitor, "cut")
            else:
                self._route(visitor.call, visitor.tried)

    def _leave(self, visitor: _Visitor) -> None:
        self._visitors[visitor.choice.provider.name].remove(visitor)
        visitor.choice.provider.in_flight -= 1

    def _record(self, visitor: _Visitor, outcome: Literal["ok", "cut"]) -> None:
        call, visit, choice = visitor.call, visitor.visit, visitor.choice
        self._served.append(
            Served(
                at=call.at,
                user=call.user,
                prompt=call.prompt,
                answer=call.answer,
                outcome=outcome,
                provider=choice.provider.name,
                route=choice.route,
                cached=visit.cached,
                waited=visit.first_at - call.at,
            )
        )
