"""What each process of a gateway holds, again and again, and whether that grows."""

import csv
import statistics
from collections.abc import Mapping, Sequence
from typing import TextIO

import msgspec

from bench.accounting import open_files, residents

MIB = 1024 * 1024
_PART = 0.1
"""Share of a run over which a median is taken: one sample says too little."""


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes resident in each process, by id, and descriptors open there, `seconds` into the run and
    after so many calls."""

    seconds: float
    calls: int
    resident: Mapping[int, int]
    files: Mapping[int, int]


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """How much one process held at the start, in the middle and at the end of a run, and at most.

    Each but `peak` is a median over a tenth of the run; that of the middle begins there.
    """

    start: float
    middle: float
    end: float
    peak: int

    @property
    def growth(self) -> float:
        """In the second half of the run."""
        return self.end - self.middle


class Journal:
    """Samples of the processes under `root`, in memory and, line by line, in a CSV file."""

    def __init__(self, root: int, file: TextIO) -> None:
        self.samples: list[Sample] = []
        self._root = root
        self._file = file
        self._lines = csv.writer(file)
        self._lines.writerow(("seconds", "calls", "process", "resident_bytes", "open_files"))

    def take(self, seconds: float, calls: int) -> Sample:
        """Take a sample now."""
        sample = Sample(
            seconds=seconds,
            calls=calls,
            resident=residents(self._root),
            files=open_files(self._root),
        )
        self.samples.append(sample)
        for pid, size in sample.resident.items():
            self._lines.writerow((f"{seconds:.1f}", calls, pid, size, sample.files.get(pid)))
        self._file.flush()
        return sample


def courses(looks: Sequence[Mapping[int, int]]) -> dict[int, Course]:
    """The course of each process that was there from the first look at all of them to the last."""
    steady = set(looks[0]).intersection(*looks)
    return {pid: _course([each[pid] for each in looks]) for pid in sorted(steady)}


def is_steady(samples: Sequence[Sample]) -> bool:
    """Whether the same processes were there all the time."""
    return all(each.resident.keys() == samples[0].resident.keys() for each in samples)


def _course(sizes: Sequence[int]) -> Course:
    length = max(1, round(len(sizes) * _PART))
    middle = len(sizes) // 2
    return Course(
        start=statistics.median(sizes[:length]),
        middle=statistics.median(sizes[middle : middle + length]),
        end=statistics.median(sizes[-length:]),
        peak=max(sizes),
    )
