"""One end user's records in the journals: found, and anonymised.

Lines stay on the disk after they were applied, until their segment is deleted, and for good in
segments that were set aside. A writer may be appending to the file meanwhile: only complete lines
are touched, and each keeps its length.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from gateway.calendar import HOUR
from gateway.generation import Generation, Record
from gateway.ledger.line import record_of
from gateway.ledger.named import named
from gateway.ledger.segment import OpenSegment, segments, set_aside

_AT_ONCE = 1024 * 1024
_COUNTED = (
    *("tenant", "endpoint", "status", "outcome", "model", "provider", "route", "flags"),
    *("latency_ms", "usage", "cost", "cache_discount", "moved_from", "move_cost"),
)
"""Fields of a generation that the totals of its day are counted from."""

_COUNTED_END = 1 + max(map(Generation.__struct_fields__.index, _COUNTED))


class Person(NamedTuple):
    """An end user of some tenants, or of any (None)."""

    user: str
    tenants: frozenset[str] | None

    def owns(self, generation: Generation) -> bool:
        """Whether it is one of this user's calls."""
        is_theirs = self.tenants is None or generation.tenant in self.tenants
        return is_theirs and generation.user == self.user


class Trace(NamedTuple):
    """A line that names the person, from byte `start` on; `record` is None when it is corrupt."""

    start: int
    text: bytes
    record: Record | None


def find_traces(folder: Path, person: Person) -> Iterator[Generation]:
    """The person's generations in the journals, applied or not, file by file."""
    for path in _files(folder):
        for trace in _traces(path, person):
            if trace.record:
                yield trace.record.generation


def redact(folder: Path, person: Person) -> int:
    """Anonymise every line of the person, also on the disk; returns how many lines there were.

    What is left of a record counts what it would have counted, as a call without a user. A corrupt
    line with the person's id in it is blanked: nobody can tell whose it was. The caller keeps
    shippers out, who might have read a line and not yet applied it.
    """
    return sum(_redact_file(path, person) for path in _files(folder))


def _files(folder: Path) -> list[Path]:
    return [*(segment.path for segment in segments(folder)), *set_aside(folder)]


def _redact_file(path: Path, person: Person) -> int:
    traces = list(_traces(path, person))
    if traces:
        with suppress(FileNotFoundError):
            _overwrite(path, traces)
    return len(traces)


def _overwrite(path: Path, traces: list[Trace]) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        for trace in traces:
            redacted = _redacted(trace.record) if trace.record else b""
            os.pwrite(fd, redacted.ljust(len(trace.text)), trace.start)
        os.fsync(fd)
    finally:
        os.close(fd)


def _redacted(record: Record) -> bytes:
    """The record anonymised, as an array or with names, whichever is shorter: its line must not get
    longer, and earlier versions wrote names.

    Of the array, what follows the last field that counts is left out. That saves more than the
    nulls in place of short texts take.
    """
    start, anonymous = (record.writer, record.sequence), _anonymous(record.generation)
    fields = msgspec.structs.astuple(anonymous)[:_COUNTED_END]
    lines = map(msgspec.json.encode, ((*start, fields), (*start, named(anonymous))))
    return min(lines, key=len)


def _anonymous(known: Generation) -> Generation:
    return Generation(
        id=secrets.token_hex(len(known.id))[: len(known.id)],
        created_at=known.created_at - known.created_at % HOUR,
        **{name: getattr(known, name) for name in _COUNTED},
    )


def _traces(path: Path, person: Person) -> Iterator[Trace]:
    needle, start = msgspec.json.encode(person.user), 0
    with suppress(FileNotFoundError), path.open("rb") as opened:
        file = OpenSegment(opened.fileno(), closed=False, size=os.fstat(opened.fileno()).st_size)
        while start < file.size and (texts := file.lines(start, _AT_ONCE)):
            for text in texts:
                if needle in text and (trace := _trace(start, text, person)):
                    yield trace
                start += len(text) + 1


def _trace(start: int, text: bytes, person: Person) -> Trace | None:
    record = record_of(text)
    return None if record and not person.owns(record.generation) else Trace(start, text, record)
