"""The table of a run, on the screen and in the documentation."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import msgspec

from bench.faults.load import Load
from bench.faults.stand import Setting
from bench.faults.truth import Balance
from bench.marks import fill_place
from bench.spread import percentile
from bench.table import markdown

COLUMNS = (
    *("scenario", "answered whole", "broken off", "refused", "missing", "double"),
    *("p99 ms", "p99 change"),
)


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
        latencies = [one.latency for one in load.answered]
        return cls(
            name=name,
            balance=balance,
            failed=load.failed,
            refused=load.refused,
            p99=percentile(latencies, 99) if latencies else 0.0,
        )


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
    """The same table in its place in `file`, and how it came about."""
    command = (
        f"python -m bench.faults --seconds {setting.seconds:g} --rate {setting.rate:g}"
        f" --gateways {setting.gateways} --workers {setting.workers} --seed {setting.seed}"
    )
    table = markdown(COLUMNS, rows(outcomes))
    fill_place(file, "faults", f"{time.strftime('%Y-%m-%d')}, `{command}`:\n\n{table}")
