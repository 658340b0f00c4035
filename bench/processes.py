"""Starting processes on their cores, and ending every one of them."""

import os
import resource
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

_TIMEOUT = 15.0


def cores() -> tuple[int, int]:
    """The core of the program under test, and that of everything around it."""
    available = sorted(os.sched_getaffinity(0))
    return available[-1], available[0]


def allow_all_files() -> None:
    """Have as many files open as this process may ask for, and what it starts as well: thousands of
    streams take more than the 1,024 that are usual."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@contextmanager
def running(
    command: Sequence[str], core: int, log: Path, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process on one core, with what it prints in `log`; ended, with its children, at the end."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            # Of one session: the kernel weighs sessions against each other, whatever their nice.
            process_group=0,
        )
    os.sched_setaffinity(process.pid, {core})
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask, and after a while insist; its group holds the process and its children only."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def tail(log: Path, lines: int = 3) -> str:
    """The last lines of a log, as one."""
    return " | ".join(log.read_text(errors="replace").strip().splitlines()[-lines:])


def first_line(log: Path, within: float) -> str:
    """The first line in a log, waited for; TimeoutError."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        line, end, _ = log.read_text().partition("\n")
        if end:
            return line
        time.sleep(0.02)
    raise TimeoutError(f"{log.name} stayed empty for {within:g} s")
