"""One generation looked up in the journals, while no store has it or none can be asked."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from gateway.generation import Generation
from gateway.ledger.line import record_of
from gateway.ledger.segment import OpenSegment, Segment, segments

_BLOCK = 256 * 1024
"""Bytes searched at a time: bytes.rfind holds the interpreter for about 0.1 ms then."""


class SearchTooLong(Exception):
    """The journals are longer than the time allowed to search them."""


class Deadline:
    """An end to searching, `within` seconds from now."""

    def __init__(self, within: float) -> None:
        self._within = within
        self._end = time.monotonic() + within

    def check(self) -> None:
        """Raises SearchTooLong once it has passed."""
        if time.monotonic() > self._end:
            raise SearchTooLong(f"not found within {self._within:g} s")


def find_generation(
    folder: Path, generation_id: str, tenants: frozenset[str] | None, within: float
) -> Generation | None:
    """By our id or the upstream's, only of `tenants`; None for any, and when no line has it.

    From the newest line on, so that what was just recorded is found at once. Reads files: call it
    in a thread. Raises SearchTooLong after `within` seconds.
    """
    needle, deadline = msgspec.json.encode(generation_id), Deadline(within)
    for segment in _newest_first(folder):
        with segment.open_to_read() as file:
            for line in _lines_with(needle, file, deadline):
                record = record_of(line)
                if record and _answers(record.generation, generation_id, tenants):
                    return record.generation
    return None


def _newest_first(folder: Path) -> list[Segment]:
    return sorted(segments(folder), key=_written_at, reverse=True)


def _written_at(segment: Segment) -> float:
    try:
        return segment.path.stat().st_mtime
    except FileNotFoundError:  # applied and deleted since the folder was read
        return 0.0


def _lines_with(needle: bytes, file: OpenSegment, deadline: Deadline) -> Iterator[bytes]:
    """The complete lines with `needle` in them, last first."""
    end = _last(b"\n", file, file.size, deadline) + 1
    while (hit := _last(needle, file, end, deadline)) >= 0:
        start = _last(b"\n", file, hit, deadline) + 1
        yield file.lines(start, _BLOCK)[0]
        end = start


def _last(needle: bytes, file: OpenSegment, end: int, deadline: Deadline) -> int:
    """Where `needle` stands last before byte `end`; -1 when it does not."""
    while end >= len(needle):
        deadline.check()
        start = max(0, end - _BLOCK - len(needle))
        at = os.pread(file.fd, end - start, start).rfind(needle)
        if at >= 0:
            return start + at
        if start == 0:
            break
        end = start + len(needle) - 1
    return -1


def _answers(found: Generation, wanted: str, tenants: frozenset[str] | None) -> bool:
    is_visible = tenants is None or found.tenant in tenants
    return is_visible and wanted in (found.id, found.upstream_id)
