"""What processes take of their machine."""

import os
import resource
import time

import pytest

from gateway.metrics.resources import Resources, own_resources
from gateway.metrics.snapshot import Snapshot, merged
from tests.parts.rlimits import no_more_files


def test_of_this_process() -> None:
    """CPU that is used counts, and so does memory that is touched and a file that is opened."""
    before = own_resources()
    with open(os.devnull, "rb"):
        touched = b"x" * (64 * 2**20)
        until = time.process_time() + 0.05
        while time.process_time() < until:
            pass
        after = own_resources()
    assert 0.05 <= after.cpu - before.cpu <= 60
    assert after.memory - before.memory > len(touched) // 2
    assert after.open_fds == before.open_fds + 1
    assert after.max_fds == resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def test_of_several_processes() -> None:
    """Those of a kind add up; of one that has ended, only the CPU that it took remains."""
    one, two = Resources(1.0, 100, 5, 1024), Resources(2.0, 200, 6, 1024)
    gone = Snapshot(resources={"worker": one}).past()
    both = merged([gone, Snapshot(resources={"worker": two, "supervisor": one})])
    assert both.resources == {"worker": Resources(3.0, 200, 6, 1024), "supervisor": one}


def test_out_of_descriptors() -> None:
    """Looking takes one: where there is none left the CPU is told all the same."""
    with no_more_files():
        found = own_resources()
    assert found == Resources(found.cpu)


def test_where_there_is_no_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not every system has the files: then nobody is told more than the CPU."""

    def missing(path: str) -> list[str]:
        raise FileNotFoundError(path)

    monkeypatch.setattr(os, "listdir", missing)
    found = own_resources()
    assert found == Resources(found.cpu)
    assert found.cpu > 0
