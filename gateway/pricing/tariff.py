"""The price of a model's tokens, and what a usage costs by it: exact, in integers."""

from abc import ABC, abstractmethod
from bisect import bisect_left
from typing import Final

from msgspec.structs import astuple

from gateway.generation import Usage, UsageValues
from gateway.pricing.premiums import Premiums

_MILLION: Final = 1_000_000
_SHORT = (1000, 2000)
"""Tokens of prompts that no tariff calls long."""


class Tariff(ABC):
    """Prices a usage."""

    @abstractmethod
    def price(self, usage: Usage) -> tuple[int, int]:
        """Total and cache discount, in nano-dollars, each rounded half up once."""

    def per_million(self) -> tuple[int, int]:
        """Nano-dollars for a million tokens of a short prompt and of its answer."""
        prompt = [self.price(Usage(prompt_tokens=count))[0] for count in _SHORT]
        completion = [self.price(Usage(completion_tokens=count))[0] for count in _SHORT]
        return _slope(*prompt), _slope(*completion)


class Flat(Tariff):
    """Nano-dollars per million tokens, and per call that used any."""

    def __init__(
        self,
        *,
        input: int,
        output: int,
        cached_input: int,
        cache_write: int,
        cache_write_1h: int,
        reasoning: int,
        premiums: Premiums,
        call: int = 0,
    ) -> None:
        self.input: Final = input
        self.output: Final = output
        self.cached_input: Final = cached_input
        self.cache_write: Final = cache_write
        self.cache_write_1h: Final = cache_write_1h
        self.reasoning: Final = reasoning
        self.premiums: Final = premiums
        self.call: Final = call

    def price(self, usage: Usage) -> tuple[int, int]:
        counts: UsageValues = astuple(usage)
        prompt, completion, reasoning, cached, written, _, written_1h, extras, _ = counts
        writing = written * self.cache_write + written_1h * (self.cache_write_1h - self.cache_write)
        total = (
            (prompt - cached - written) * self.input
            + cached * self.cached_input
            + writing
            + (completion - reasoning) * self.output
            + reasoning * self.reasoning
        )
        discount = (cached + written) * self.input - cached * self.cached_input - writing
        fee = self.call if total else 0
        if extras is not None:
            more, saved = self.premiums.of_tokens(extras)
            total, discount = total + more, discount + saved
            fee += extras.web_searches * self.premiums.web_search
        return _rounded(total) + fee, _rounded(discount)


class Tiered(Tariff):
    """The whole prompt's length decides what all tokens cost: above `starts[i]`, `tariffs[i+1]`."""

    def __init__(self, starts: tuple[int, ...], tariffs: tuple[Flat, ...]) -> None:
        self._starts = starts
        self._tariffs = tariffs

    def price(self, usage: Usage) -> tuple[int, int]:
        return self._tariffs[bisect_left(self._starts, usage.prompt_tokens)].price(usage)


def _slope(few: int, more: int) -> int:
    """For a million more tokens, without what a call costs by itself; prices of `_SHORT`."""
    return (more - few) * _MILLION // (_SHORT[1] - _SHORT[0])


def _rounded(price: int) -> int:
    """Tokens times a price per million -> nano-dollars, rounded half up."""
    return (price + _MILLION // 2) // _MILLION
