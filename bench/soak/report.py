"""The table of a run, on the screen and in the documentation."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import msgspec

from bench.marks import fill_place
from bench.soak.calls import KINDS
from bench.soak.load import Failure, Load
from bench.soak.memory import MIB, Course, Sample, courses, is_steady
from bench.table import markdown

COLUMNS = (
    *("process", "MiB at the start", "in the middle", "at the end", "second half"),
    *("at most", "open files"),
)

_MORE_FILES = 100
"""Open files that a process may gain in the second half; every connection is one."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """A run of `seconds`: the samples, the calls by kind, and those that failed."""

    command: str
    seconds: float
    samples: Sequence[Sample]
    made: Mapping[str, int]
    failures: Sequence[Failure]

    @classmethod
    def of(cls, command: str, samples: Sequence[Sample], load: Load) -> Self:
        """What the load saw, and the memory meanwhile."""
        return cls(
            command=command,
            seconds=samples[-1].seconds,
            samples=samples,
            made=load.made,
            failures=load.failures,
        )

    @property
    def memory(self) -> dict[int, Course]:
        """Bytes resident in each process."""
        return courses([each.resident for each in self.samples])

    @property
    def files(self) -> dict[int, Course]:
        """Descriptors open in each process."""
        return courses([each.files for each in self.samples])

    def faults(self, bound: float) -> list[str]:
        """Why the run is not good: `bound` is how many bytes a process may gain in its second
        half."""
        grown = [
            f"process {pid} grew by {course.growth / MIB:.1f} MiB in the second half"
            for pid, course in self.memory.items()
            if course.growth > bound
        ]
        opened = [
            f"process {pid} opened {course.growth:.0f} files more than it closed in the second half"
            for pid, course in self.files.items()
            if course.growth > _MORE_FILES
        ]
        replaced = [] if is_steady(self.samples) else ["processes ended or began on the way"]
        failed = [f"{len(self.failures):,} calls failed"] if self.failures else []
        return [*grown, *opened, *replaced, *failed]


def rows(outcome: Outcome) -> list[tuple[str, ...]]:
    """A row for each process; the first is the supervisor, the others are workers."""
    return [
        (
            "worker" if number else "supervisor",
            *(f"{size / MIB:.1f}" for size in (course.start, course.middle, course.end)),
            f"{course.growth / MIB:+.1f}",
            f"{course.peak / MIB:.1f}",
            f"{files.end:.0f}",
        )
        for number, (course, files) in enumerate(
            zip(outcome.memory.values(), outcome.files.values(), strict=True)
        )
    ]


def calls(outcome: Outcome) -> list[tuple[str, str]]:
    """A row for each kind of call, then one for each way in which calls failed, with the first."""
    first = {failure.what: failure for failure in reversed(outcome.failures)}
    ways = Counter(failure.what for failure in outcome.failures)
    failures = [(str(first[what]), number) for what, number in ways.most_common()]
    return [(name, f"{number:,}") for name, number in (*outcome.made.items(), *failures)]


def write(outcome: Outcome, file: Path) -> None:
    """The table in its place in `file`."""
    fill_place(file, "soak", _text(outcome))


def _text(outcome: Outcome) -> str:
    kinds = ", ".join(
        f"{outcome.made[kind.name]:,} {kind.name}" for kind in KINDS if outcome.made.get(kind.name)
    )
    date, minutes = time.strftime("%Y-%m-%d"), outcome.seconds / 60
    run = f"{date}, `{outcome.command}`, {minutes:.0f} minutes:"
    return f"{run}\n{kinds}; {len(outcome.failures)} failed.\n\n{markdown(COLUMNS, rows(outcome))}"
