"""What every place tells of calls, brought to one form, and what a recount of the calls says."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from gateway.generation import Generation
from gateway.ledger.counts import Counts
from tests.parts import counting

Told = dict[str, int]
"""Some of: requests, errors, flags, tokens, cached, cost (nano-dollars)."""


def told_of(counts: Counts) -> Told:
    return {
        "requests": counts.requests,
        "errors": counts.errors,
        "flags": counts.flags,
        "tokens": counts.tokens,
        "cached": counts.cached_tokens,
        "cost": counts.cost,
    }


def recount(calls: Iterable[Generation]) -> Told:
    return told_of(counting.total(calls))


def summed(
    rows: Iterable[Mapping[str, Any]], **columns: str | Sequence[str] | Callable[[Any], int]
) -> Told:
    """What rows come to; money in USD is rounded to the nano-dollar a row."""
    told = dict.fromkeys(columns, 0)
    for row in rows:
        for name, where in columns.items():
            told[name] += where(row) if callable(where) else _sum(row, where, name == "cost")
    return told


def _sum(row: Mapping[str, Any], where: str | Sequence[str], is_money: bool) -> int:
    names = [where] if isinstance(where, str) else where
    return sum(round(float(row[name]) * (1e9 if is_money else 1)) for name in names)


PROMPT_AND_COMPLETION = ("prompt_tokens", "completion_tokens")


def of_activity(rows: Iterable[Mapping[str, Any]], own: bool) -> Told:
    """Rows of activity, as JSON or CSV; Hearth's `own` have errors and flags too."""
    more = {"errors": "errors", "flags": "flags"} if own else {}
    return summed(
        rows,
        requests="requests",
        tokens=PROMPT_AND_COMPLETION,
        cached="cached_tokens",
        cost="usage",
        **more,
    )


def of_generations(rows: Iterable[Mapping[str, Any]], flags: Callable[[Any], int]) -> Told:
    return summed(
        rows,
        requests=lambda row: 1,
        tokens=("tokens_prompt", "tokens_completion"),
        cached="native_tokens_cached",
        cost="total_cost",
        errors=lambda row: row.get("hearth", row)["outcome"] in ("refused", "failed", "cut"),
        flags=flags,
    )


def same(told: Told, calls: Iterable[Generation]) -> None:
    """All that is told is what the calls come to."""
    expected = recount(calls)
    assert told == {name: expected[name] for name in told}


def of_line(line: Mapping[str, Any], money: str) -> Told:
    """A line of a table of a page."""
    return {
        "requests": line["Requests"].number,
        "errors": line["Errors"].number,
        "tokens": line["Tokens"].number,
        "cost": line[money].number,
    }


def of_users(rows: Iterable[Mapping[str, Any]]) -> Told:
    """Rows of a CSV of users."""
    return summed(
        rows,
        requests="requests",
        errors="errors",
        flags="flags",
        tokens=PROMPT_AND_COMPLETION,
        cached="cached_tokens",
        cost="cost",
    )
