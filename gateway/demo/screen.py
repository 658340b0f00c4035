"""What the demo prints: where to look, and the two worlds side by side while they run."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.table import Table

from gateway.demo.phrases import USERS
from gateway.demo.score import Score
from gateway.demo.worlds import MODEL, PROVIDERS, World

_LINE_EVERY = 5.0

_EXAMPLE = """
from openai import OpenAI

client = OpenAI(base_url="{origin}/v1", api_key="anything")
answer = client.chat.completions.create(
    model="{model}",
    messages=[{{"role": "user", "content": "How hot is a bread oven?"}}],
    user="user_anna",
)
print(answer.choices[0].message.content)
"""


class Screen(Protocol):
    """Shows the latest score of each world."""

    def show(self, scores: Mapping[str, Score]) -> None:
        """World name -> score, the sticky one first."""


def welcome(console: Console, sticky: World) -> None:
    """Say what runs and which addresses to look at."""
    console.print(f"Hearth listens on {sticky.origin}, in front of {', '.join(PROVIDERS)}:")
    console.print("mock providers, each with a prompt cache of its own.")
    console.print(
        f"{len(USERS)} sample users talk to them; some calls name no user, and are refused.\n"
    )
    for what, path in (
        ("All requests", "/generations"),
        ("Refused ones", "/generations?flagged=true"),
        ("Use by user", "/activity?include_today=true&group_by=user"),
        ("All users", "/users"),
        ("Providers", "/providers"),
    ):
        console.print(f"  {what:<13} {sticky.origin}{path}")
    console.print("\nTry it with the OpenAI SDK:")
    console.print(_EXAMPLE.format(origin=sticky.origin, model=MODEL))


@contextmanager
def open_screen(console: Console, turns: int) -> Iterator[Screen]:
    """A table that changes in place on a terminal, a table now and then elsewhere."""
    if not console.is_terminal:
        screen = _Log(console, turns)
        yield screen
        screen.close()
        return
    with Live(console=console, refresh_per_second=4) as live:
        yield _Board(live, turns)


class _Board:
    def __init__(self, live: Live, turns: int) -> None:
        self._live = live
        self._turns = turns

    def show(self, scores: Mapping[str, Score]) -> None:
        self._live.update(_table(scores, self._turns))


class _Log:
    def __init__(self, console: Console, turns: int) -> None:
        self._console = console
        self._turns = turns
        self._scores: Mapping[str, Score] = {}
        self._next = 0.0

    def show(self, scores: Mapping[str, Score]) -> None:
        self._scores = scores
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _LINE_EVERY
            self._console.print(_table(scores, self._turns))

    def close(self) -> None:
        self._console.print(_table(self._scores, self._turns))


def _table(scores: Mapping[str, Score], turns: int) -> Table:
    table = Table(title=f"The same {turns} turns, with and without sticky routing")
    table.add_column("routing")
    for heading in ("requests", "prompt tokens", "from cache", "cost"):
        table.add_column(heading, justify="right")
    for name, score in scores.items():
        table.add_row(
            name,
            f"{score.requests:,}",
            f"{score.prompt_tokens:,}",
            f"{score.cached_share:.1%}",
            f"${score.cost:.4f}",
        )
    if len(scores) == 2:
        table.caption = _comparison(*scores.values())
    return table


def _comparison(sticky: Score, spread: Score) -> str:
    if not spread.cost or not spread.cached_share:
        return ""
    share = sticky.cached_share / spread.cached_share
    return f"{share:.1f} x the cached share, {1 - sticky.cost / spread.cost:.0%} cheaper"
