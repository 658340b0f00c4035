"""Counters as they go into rows, are added there, and come out again."""

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import TypeVar

from gateway.ledger.counts import COUNTERS, Counts
from gateway.ledger.increments import Sums, sum_of

K = TypeVar("K")

COLUMNS = ", ".join(COUNTERS)
SUMS = ", ".join(f"sum({counter})" for counter in COUNTERS)
ADDED = ", ".join(f"{counter} = {counter} + excluded.{counter}" for counter in COUNTERS)


def insert(table: str, columns: Sequence[str]) -> str:
    """The INSERT of one row."""
    marks = ", ".join(repeat("?", len(columns)))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"


def add_to(table: str, key: Sequence[str]) -> str:
    """The statement that adds counters to those of a key, or begins with them."""
    columns = insert(table, (*key, *COUNTERS))
    return f"{columns} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {ADDED}"


def summed(singles: Iterable[tuple[K, Sums]]) -> dict[K, Sums]:
    """Each key once, with the sum of what came with it."""
    groups: dict[K, list[Sums]] = {}
    for key, numbers in singles:
        groups.setdefault(key, []).append(numbers)
    return {key: sum_of(some) for key, some in groups.items()}


def counts_of(numbers: Sequence[int]) -> Counts:
    """The record of a row's counters."""
    return Counts(**dict(zip(COUNTERS, numbers, strict=True)))
