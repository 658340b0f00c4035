"""Measure, print, write, and exit with 1 where a figure is not what it must be."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from bench.results import Machine
from bench.routing.figures import LISTS, ROUNDS, USERS, at_home, balance, lookup, moved
from bench.screen import progress, show_table
from bench.table import markdown

COLUMNS = ("figure", "required", "measured", "")

_PAGE = """\
# Routing

How evenly the ring spreads users, how many of them move when providers change, and how long a
choice takes, each with its requirement. `make bench-routing` writes this page in about a minute,
and fails if a requirement is not met.

{table}

- **share**: a provider's share of the ring with equal weights, as a multiple of the fair share: the
  largest in {lists} lists of provider names, and the standard deviation over all of them.
- **leaves, joins**: {users:,} users, each looked up before and after.
- **a choice**: all that routing does for a call: ring, health, load. The median over users in
  random order, in the quietest of {rounds} rounds, less the timer's own time. If providers are
  sick, the p99 is that of the users whose home is sick.
- **at home**: calls that went to their user's first choice. There are 5 providers and no faults,
  the popularity of users follows Zipf's law with exponent 1.1, settings are the defaults, and calls
  begin and end at random moments.

Measured {date} on {machine.processor}, {machine.cores} cores, Python {machine.python}.
"""


class Figure(msgspec.Struct, frozen=True):
    """What was measured, in words, and whether it is as it must be."""

    name: str
    must: str
    found: str
    holds: bool

    def row(self) -> Sequence[str]:
        """Its cells, in the order of COLUMNS."""
        return self.name, self.must, self.found, "yes" if self.holds else "**no**"


def main() -> int:
    """1 when a figure does not hold."""
    parser = argparse.ArgumentParser(prog="python -m bench.routing")
    parser.add_argument("--write", type=Path, metavar="DOCS", help="write routing.md there")
    arguments = parser.parse_args()
    with progress(len(MEASUREMENTS)) as step:
        figures: list[Figure] = []
        for name, measure in MEASUREMENTS.items():
            step(name)
            figures += measure()
    rows = [figure.row() for figure in figures]
    show_table(COLUMNS, rows)
    if arguments.write:
        (arguments.write / "routing.md").write_text(page(rows))
    return 0 if all(figure.holds for figure in figures) else 1


def page(rows: Sequence[Sequence[str]]) -> str:
    """The page with these rows."""
    return _PAGE.format(
        table=markdown(COLUMNS, rows),
        lists=LISTS,
        users=USERS,
        rounds=ROUNDS,
        date=time.strftime("%Y-%m-%d"),
        machine=Machine.here(),
    )


def shares() -> Iterator[Figure]:
    """How evenly users are spread."""
    for count in (2, 5, 10, 20):
        found = balance(count)
        name = f"largest share, {count} providers"
        yield Figure(name, "≤ 1.05", f"{found.peak:.3f}", found.peak <= 1.05)
        name = f"deviation of shares, {count} providers"
        yield Figure(name, "≤ 2 %", _percent(found.deviation), found.deviation <= 0.02)


def changes() -> Iterator[Figure]:
    """Who moves when providers come and go."""
    for count in (2, 5, 20):
        found = moved(count)
        text = f"exactly its own, {_percent(found.lost)}"
        name = f"users moved, one of {count} leaves"
        yield Figure(name, text, _percent(found.left), found.left == found.lost)
        name = f"users moved, one joins {count}"
        is_fair = found.joined <= found.most
        yield Figure(name, f"≤ {_percent(found.most)}", _percent(found.joined), is_fair)


def choices() -> Iterator[Figure]:
    """How long a choice takes."""
    for count, sick, users in (
        (5, 0, 100_000),
        (50, 0, 100_000),
        (50, 2, 10_000),
        (50, 2, 500_000),
    ):
        found = lookup(count, sick, users)
        name = f"a choice, {count} providers, {sick} of them sick, {users:,} users"
        text = f"{found.median / 1000:.2f} µs, p99 {found.p99 / 1000:.2f} µs"
        yield Figure(name, "≤ 1 µs", text, found.median <= 1000)


def homes() -> Iterator[Figure]:
    """Who is at home while nothing is wrong."""
    for in_flight in (50, 500):
        share = at_home(in_flight)
        name = f"at home, {in_flight} calls in flight"
        yield Figure(name, "≥ 99 %", _percent(share), share >= 0.99)


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


MEASUREMENTS: dict[str, Callable[[], Iterator[Figure]]] = {
    "shares": shares,
    "changes": changes,
    "choices": choices,
    "homes": homes,
}

if __name__ == "__main__":
    sys.exit(main())
