"""What was measured: the records of the JSON file, and nothing that is worked out from them."""

import os
import platform
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.plan import Plan
from bench.stand import Constant, Requests, Streaming


class Pass(msgspec.Struct, frozen=True, kw_only=True):
    """One round of one program; without `streaming` where it does not stream.

    `half` is the load at half of what the program can do; `even`, some measurements at a rate which
    is the same for all, none where the program cannot do twice as much; `resident` bytes after that
    load; `first_chunk` is milliseconds.
    """

    requests: Requests
    half: Constant
    resident: int
    even: Sequence[Constant] = ()
    first_chunk: float | None = None
    streaming: Streaming | None = None


class Floor(msgspec.Struct, frozen=True, kw_only=True):
    """The load straight at the mock provider: what of every number is not the program's."""

    offered: float
    p50: float
    p99: float
    first_chunk: float


class Subject(msgspec.Struct, kw_only=True):
    """A program and its rounds.

    `absent` says why there are none, or fewer; `note` what it could not do.
    """

    name: str
    origin: str
    does: str
    version: str | None = None
    absent: str | None = None
    note: str | None = None
    passes: list[Pass] = []


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One program at one size in one round: CPU µs per request, or per chunk for `streams`."""

    program: str
    dimension: str
    size: int
    cpu: float
    resident: int


class Step(msgspec.Struct, frozen=True):
    """A step of Hearth's hot path and its µs."""

    name: str
    cost: float


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Where it was measured."""

    processor: str
    cores: int
    kernel: str
    python: str

    @classmethod
    def here(cls) -> "Machine":
        """This one."""
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        return cls(
            processor=models[0] if models else platform.machine(),
            cores=len(os.sched_getaffinity(0)),
            kernel=platform.release(),
            python=platform.python_version(),
        )


class Results(msgspec.Struct, kw_only=True):
    """One run."""

    machine: Machine
    plan: Plan
    date: str
    floor: Floor
    subjects: Sequence[Subject]
    growth: Sequence[Point]
    steps: Sequence[Step]
