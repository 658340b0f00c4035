"""The soak bench sees memory that grows and calls that fail, and ends what it started."""

import io
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.soak import report
from bench.soak.load import Failure
from bench.soak.memory import MIB, Journal, Sample
from bench.soak.report import Outcome

HERE = os.getpid()


def run_of(*sizes: Sequence[int], failures: int = 0, leak: int = 0) -> Outcome:
    """A run whose samples found processes of so many MiB, and `leak` files more each time."""
    samples = [
        Sample(
            seconds=float(second),
            calls=second,
            resident={pid: mib * MIB for pid, mib in enumerate(each)},
            files={pid: 20 + second * leak for pid, _ in enumerate(each)},
        )
        for second, each in enumerate(sizes)
    ]
    failed = [Failure("streamed: TimeoutError", 60.0 * n, f"user_{n}") for n in range(failures)]
    made = {"streamed": 1200}
    return Outcome(command="soak", seconds=3600.0, samples=samples, made=made, failures=failed)


def test_warming_up_is_no_growth() -> None:
    """What a process takes in the first half is its own affair, and so is a short peak."""
    grown = [(50, 50 + 2 * number) for number in range(10)]
    run = run_of(*grown, *[(50, 70)] * 7, (50, 400), *[(50, 70)] * 12)
    assert run.faults(4 * MIB) == []
    supervisor, worker = run.memory.values()
    assert (supervisor.growth, worker.start / MIB, worker.growth) == (0, 52, 0)


def test_growth_in_the_second_half() -> None:
    """A process that gains more than the bound fails the run, and is named."""
    run = run_of(*[(50, 50 + number) for number in range(20)])
    assert run.faults(9 * MIB) == []
    assert run.faults(4 * MIB) == ["process 1 grew by 8.0 MiB in the second half"]


def test_files_left_open() -> None:
    """Memory may be flat while files are opened and never closed."""
    [supervisor, worker] = run_of(*[(50, 50)] * 30, leak=10).faults(MIB)
    assert supervisor == "process 0 opened 120 files more than it closed in the second half"
    assert worker.startswith("process 1 ")


def test_other_processes_and_failures() -> None:
    """A worker that was replaced, or a call that failed, makes flat memory worth nothing."""
    run = run_of((50, 50), (50, 50), (50,), failures=3)
    assert run.faults(MIB) == ["processes ended or began on the way", "3 calls failed"]


def test_first_of_each_failure() -> None:
    """The table says when the first call failed in a way, and whose it was."""
    rows = report.calls(run_of((50, 50), failures=3))
    assert rows == [("streamed", "1,200"), ("streamed: TimeoutError (user_0, after 0 s)", "3")]


def test_samples_are_written_as_they_are_taken() -> None:
    """The CSV has a line for each process and look, at once."""
    file = io.StringIO()
    journal = Journal(HERE, file)
    sample = journal.take(10.0, 3000)
    assert sample.resident[HERE] > MIB
    head, *lines = file.getvalue().split()
    assert head == "seconds,calls,process,resident_bytes,open_files"
    assert f"10.0,3000,{HERE},{sample.resident[HERE]},{sample.files[HERE]}" in lines


def test_document(tmp_path: Path) -> None:
    """The document gets the calls by kind, and a row for each process."""
    file = tmp_path / "page.md"
    file.write_text("<!-- soak: begin -->\n<!-- soak: end -->\n")
    report.write(run_of(*[(50, 60)] * 4), file)
    text = file.read_text()
    assert "60 minutes:\n1,200 streamed; 0 failed" in text
    assert "| worker | 60.0 | 60.0 | 60.0 | +0.0 | 60.0 | 20 |" in text


@pytest.mark.heavy
def test_short_run(tmp_path: Path) -> None:
    """In a few seconds of load no call fails, and no process ends."""
    samples = tmp_path / "memory.csv"
    options = ("--minutes", "0.05", "--rate", "100", "--every", "0.5", "--bound", "100")
    command = [sys.executable, "-m", "bench.soak", *options, "--csv", str(samples)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    assert "supervisor" in done.stdout
    assert len({line.split(",")[2] for line in samples.read_text().splitlines()[1:]}) == 2
