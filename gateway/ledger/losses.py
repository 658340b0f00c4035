"""How many records the writers of a folder could not write, kept for other processes and runs.

One number of fixed width, in a file that is made at the start: changing it takes no space on a full
disk, except on a file system that copies on write.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_DIGITS = 20


def prepare_losses(folder: Path) -> None:
    """Make the file, unless it is there. Raises OSError."""
    with _count_of(folder, os.O_CREAT | os.O_RDWR) as fd:
        if os.fstat(fd).st_size < _DIGITS:
            _write(fd, 0)


def add_loss(folder: Path) -> None:
    """One more. Where not even that can be written, only the log and the process know."""
    with suppress(OSError), _count_of(folder, os.O_RDWR) as fd:
        _write(fd, _read(fd) + 1)


def read_losses(folder: Path) -> int:
    """How many since the file was made."""
    try:
        with _count_of(folder, os.O_RDONLY) as fd:
            return _read(fd)
    except FileNotFoundError:
        return 0


@contextmanager
def _count_of(folder: Path, flags: int) -> Iterator[int]:
    """The open file; no other process changes it meanwhile."""
    fd = os.open(folder / "lost", flags | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield fd
    finally:
        os.close(fd)


def _read(fd: int) -> int:
    """What is no number counts as none: a power cut may have left zero bytes."""
    text = os.pread(fd, _DIGITS, 0)
    return int(text) if text.isdigit() else 0


def _write(fd: int, count: int) -> None:
    os.pwrite(fd, b"%0*d" % (_DIGITS, count), 0)
