"""The table of a run, on the screen and in the documentation."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import msgspec

from bench.faults.load import Load
from bench.faults.stand import Setting
from bench.faults.truth import Balance

COLUMNS = (
    *("scenario", "answered whole", "broken off", "refused", "missing", "double"),
    *("p99 ms", "p99 change"),
)
_BEGIN, _END = "<!-- faults: begin -->", "<!-- faults: end -->"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a scenario did; `p99` in seconds, over the calls that were answered whole."""

    name: str
    balance: Balance
    failed: int
    refused: int
    p99: float

    @classmethod
    def of(cls, name: str, balance: Balance, load: Load) -> Self:
        """What clients saw, with what the store made of it."""
        return cls(
            name=name,
            balance=balance,
            failed=load.failed,
            refused=load.refused,
            p99=percentile([one.latency for one in load.answered], 0.99),
        )


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of all does not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0


def rows(outcomes: Sequence[Outcome]) -> list[tuple[str, ...]]:
    """A row each, the p99 against that of the first."""
    before = outcomes[0].p99
    return [
        (
            each.name,
            f"{each.balance.answered:,}",
            f"{each.failed:,}",
            f"{each.refused:,}",
            f"{each.balance.missing:,}",
            f"{each.balance.double:,}",
            f"{each.p99 * 1000:.1f}",
            f"{each.p99 / before - 1:+.0%}" if before else "",
        )
        for each in outcomes
    ]


def write(outcomes: Sequence[Outcome], setting: Setting, file: Path) -> None:
    """Put the table between the two marks in `file`. ValueError when it has none."""
    text = file.read_text()
    head, begin, rest = text.partition(_BEGIN)
    _, end, tail = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"{file} has no place for it: {_BEGIN} and {_END}")
    file.write_text(f"{head}{begin}\n{markdown(outcomes, setting)}{end}{tail}")


def markdown(outcomes: Sequence[Outcome], setting: Setting) -> str:
    """The same table, and how it came about."""
    lines = [
        f"{time.strftime('%Y-%m-%d')}, `python -m bench.faults --seconds {setting.seconds:g}"
        f" --rate {setting.rate:g} --gateways {setting.gateways} --workers {setting.workers}"
        f" --seed {setting.seed}`:",
        "",
        f"| {' | '.join(COLUMNS)} |",
        f"|---|{'--:|' * (len(COLUMNS) - 1)}",
        *(f"| {' | '.join(row)} |" for row in rows(outcomes)),
    ]
    return "\n".join(lines) + "\n"
