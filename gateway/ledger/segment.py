"""A segment: one file of a writer's journal, `<writer>-<first sequence>.jsonl`.

Whoever appends holds the file locked for as long as it may append. The lock goes when the process
does, however it ends, so a segment that nobody holds is closed for good.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.ledger.lock import try_lock

SET_ASIDE = ".corrupt"
"""What is added to the name of a segment with corrupt lines, where another would be deleted."""

_NAME = re.compile(r"(?P<writer>[0-9A-Za-z_-]+)-(?P<first>\d{12})\.jsonl")


@dataclass(frozen=True)
class OpenSegment:
    """A segment open to be read: whether its writer let go of it, and its size in bytes."""

    fd: int
    closed: bool
    size: int

    def lines(self, offset: int, limit: int) -> list[bytes]:
        """The complete lines from `offset`, about `limit` bytes of them, without line ends.

        At least one, unless there is none: what follows the last line end is not a line yet.
        """
        data = os.pread(self.fd, limit, offset)
        while len(data) == limit and b"\n" not in data:
            limit *= 2
            data = os.pread(self.fd, limit, offset)
        return _lines(data)


@dataclass(frozen=True, order=True)
class Segment:
    """The file of `writer` whose records start with sequence `first`."""

    writer: str
    first: int
    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / f"{self.writer}-{self.first:012}.jsonl"

    def open_to_append(self) -> int:
        """Create the file, for its owner's eyes only, and hold it; returns its descriptor."""
        while True:
            fd = os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_APPEND | os.O_CLOEXEC, 0o600)
            fcntl.flock(fd, fcntl.LOCK_EX)
            if os.fstat(fd).st_nlink:
                return fd
            # A shipper took the new file for a dead writer's before it was held, and deleted it.
            os.close(fd)

    def is_open_as(self, fd: int) -> bool:
        """Whether what is open is still the file in the folder."""
        try:
            return os.path.samestat(os.stat(self.path), os.fstat(fd))
        except FileNotFoundError:
            return False

    def write_again(self, held: int) -> int:
        """Create the file once more with all that the one open as `held` has; returns the new
        one's descriptor, as `open_to_append` does."""
        fd = self.open_to_append()
        try:
            os.ftruncate(fd, 0)
            os.lseek(held, 0, os.SEEK_SET)
            with open(held, "rb", closefd=False) as old, open(fd, "ab", closefd=False) as new:
                shutil.copyfileobj(old, new)
        except OSError:
            os.close(fd)
            raise
        return fd

    @contextmanager
    def open_to_read(self) -> Iterator[OpenSegment]:
        """Open the file; while this lasts nobody can start to append to a closed segment.

        One that another shipper deleted in the meantime reads as empty and not closed. One that its
        writer let go of to put it back is not closed either: the file in the folder is another.
        """
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            yield OpenSegment(fd=-1, closed=False, size=0)
            return
        try:
            # Asked before the size: once the writer has let go, the size is final.
            closed = try_lock(fd, fcntl.LOCK_SH) and self.is_open_as(fd)
            yield OpenSegment(fd, closed, os.fstat(fd).st_size)
        finally:
            os.close(fd)


def _lines(data: bytes) -> list[bytes]:
    """As `split` has them, which looks at each byte: `find` takes half as long."""
    found: list[bytes] = []
    start = 0
    while (end := data.find(b"\n", start)) >= 0:
        found.append(data[start:end])
        start = end + 1
    return found


def segments(folder: Path) -> list[Segment]:
    """The segments in `folder`, writer by writer, each in the order it was written."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    matches = [match for match in map(_NAME.fullmatch, names) if match]
    return sorted(Segment(match["writer"], int(match["first"]), folder) for match in matches)


def set_aside(folder: Path) -> list[Path]:
    """The files of segments that hold corrupt lines and are applied otherwise."""
    return sorted(folder.glob(f"*.jsonl{SET_ASIDE}"))
