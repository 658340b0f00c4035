"""How many users have how much: a histogram with fixed bars, so that stores can keep it."""

from typing import Self

import msgspec


class Bar(msgspec.Struct, frozen=True):
    """How many `users` have a count from `start` to before `end`; 0 has a bar of its own.

    The others hold the numbers with as many digits and the same first digit: 7, 40 to 49, 100 to
    199. They are the same in every store, and a counter that grows moves one user to another bar.
    """

    start: int
    end: int
    users: int

    @classmethod
    def of(cls, number: int, users: int) -> Self:
        """The bar that `bar_of` numbers so."""
        digits, first = divmod(number, 10)
        unit = 10 ** (digits - 1) if digits else 1
        return cls(first * unit, (first + 1) * unit, users)


def bar_of(count: int) -> int:
    """The number of the bar a count stands in: ten times its digits, plus the first; 0 for zero."""
    if count <= 0:
        return 0
    text = str(count)
    return len(text) * 10 + int(text[0])


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """How a month's requests, and its cost in nano-dollars, spread over users; lowest bar first."""

    requests: tuple[Bar, ...]
    cost: tuple[Bar, ...]
