"""Pools of providers that exist nowhere, for tests of routing."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from gateway.config import Config, Model, Sticky
from gateway.config import Provider as Settings
from gateway.routing.pool import Choice, Pool
from gateway.routing.provider import Provider
from gateway.routing.router import Router
from gateway.routing.verdict import SICK

NAMES = ("openai-a", "openai-b", "openai-c")
KEY = b"my-app\0user_1"
ORDER = ("openai-b", "openai-a", "openai-c")
"""Of KEY, pinned in test_ring."""
NOW = 1000.0


def settings(name: str, models: tuple[str | Model, ...] | None = None, **more: Any) -> Settings:
    return Settings(**{"name": name, "base_url": "https://a.example/v1", "models": models, **more})


def pool_of(*providers: Settings, **sticky: Any) -> Pool:
    return Router(Config(providers=providers, sticky=Sticky(**sticky))).pool(None)


def three(max_in_flight: int = 512, **sticky: Any) -> Pool:
    """The providers of ORDER."""
    return pool_of(*(settings(name, max_in_flight=max_in_flight) for name in NAMES), **sticky)


def member(pool: Pool, name: str) -> Provider:
    return next(provider for provider in pool.members if provider.name == name)


def fail(pool: Pool, *names: str, now: float = NOW, times: int = 5) -> None:
    """Let calls at these providers fail until they are ejected."""
    for name in names:
        for _ in range(times):
            member(pool, name).health.observe(SICK, now)


@contextmanager
def loaded(pool: Pool, name: str, calls: int) -> Iterator[None]:
    """`calls` in flight at a provider."""
    with ExitStack() as stack:
        for _ in range(calls):
            stack.enter_context(member(pool, name).lease("home"))
        yield


def all_choices(pool: Pool, key: bytes | None, now: float = NOW) -> list[Choice]:
    """Everyone a call would try, one after the other."""
    tried: set[str] = set()
    choices = []
    while choice := pool.choose(key, now, tried):
        choices.append(choice)
        tried.add(choice.provider.name)
    return choices


def found(choices: Sequence[Choice]) -> list[tuple[str, str]]:
    return [(choice.provider.name, choice.route) for choice in choices]
