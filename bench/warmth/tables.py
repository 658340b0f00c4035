"""Rows of the tables, as they are printed and written."""

from collections.abc import Iterator, Sequence

from bench.table import number
from bench.warmth.crowd import BatchRow
from bench.warmth.engines.results import EngineRow
from bench.warmth.outcome import Summary
from bench.warmth.sockets import Confirmation
from bench.warmth.study import Row
from bench.warmth.variations import Variation

Table = tuple[Sequence[str], Sequence[Sequence[str]]]
"""Columns, and rows as long as they are."""


def compared(rows: Sequence[Row]) -> Table:
    """A row for each strategy."""
    columns = ("strategy", "cached", "cost", "p50 s", "p95 s", "moves / user", "at home", "cut")
    return columns, [(row.name, *_compared(row.summary)) for row in rows]


def varied(variations: Sequence[Variation]) -> Table:
    """A row for each value; what it is the value of stands in the first one only."""
    columns = ("", "value", "sticky", "round robin", "ratio", "sticky p95 s", "round robin p95 s")
    return columns, list(_varied(variations))


def crowded(rows: Sequence[BatchRow]) -> Table:
    """A row for each strategy: the batch, then everybody else."""
    columns = ("strategy", "batch p95 s", "others p50 s", "others p95 s", "others cached")
    return columns, [
        (
            row.name,
            number(row.batch.p95),
            number(row.others.p50),
            number(row.others.p95),
            percent(row.others.cached_share),
        )
        for row in rows
    ]


def confirmed(confirmations: Sequence[Confirmation]) -> Table:
    """Two rows for each strategy."""
    columns = ("run", "calls", "cached", "moves / user", "failed", "cut")
    return columns, [
        (f"{each.name}, {how}", *_confirmed(summary))
        for each in confirmations
        for how, summary in (("simulated", each.simulated), ("over sockets", each.sent))
    ]


def engines(rows: Sequence[EngineRow]) -> Table:
    """A row for each strategy."""
    columns = ("strategy", "cached", "prompt p50 ms", "prompt p95 ms", "read s", "moves / user")
    return columns, [
        (
            row.name,
            percent(row.cached_share),
            number(row.p50_ms),
            number(row.p95_ms),
            number(row.read_seconds),
            number(row.moves),
        )
        for row in rows
    ]


def percent(share: float) -> str:
    """`0.829` -> `82.9 %`."""
    return f"{100 * share:.1f} %"


def _compared(summary: Summary) -> tuple[str, ...]:
    at_home = summary.routes.get("home", 0) / summary.calls
    return (
        percent(summary.cached_share),
        f"${summary.cost:.2f}",
        number(summary.p50),
        number(summary.p95),
        number(summary.moves),
        percent(at_home) if at_home else "-",
        str(summary.cut),
    )


def _varied(variations: Sequence[Variation]) -> Iterator[tuple[str, ...]]:
    last = ""
    for each in variations:
        yield (
            "" if each.what == last else each.what,
            each.value,
            percent(each.sticky.cached_share),
            percent(each.round_robin.cached_share),
            f"{each.ratio:.1f}",
            number(each.sticky.p95),
            number(each.round_robin.p95),
        )
        last = each.what


def _confirmed(summary: Summary) -> tuple[str, ...]:
    return (
        f"{summary.calls:,}",
        percent(summary.cached_share),
        number(summary.moves),
        str(summary.failed),
        str(summary.cut),
    )
