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


def find_generation(
    folder: Path,
    generation_id: str,
    tenants: frozenset[str] | None,
    within: float,
    block: int = _BLOCK,
) -> Generation | None:
    """By our id or the upstream's, only of `tenants` (None: of any); None when no line has it.

    Newest line first, so that what was just recorded is found at once. Reads files, `block`
    bytes at a time: call it in a thread. Raises SearchTooLong after `within` seconds.
    """
    needle, search = msgspec.json.encode(generation_id), _Search(within, block)
    for segment in _newest_first(folder):
        with segment.open_to_read() as file:
            for line in search.lines_with(needle, file):
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


class _Search:
    """Through segments from their ends, `block` bytes at a time, until `within` seconds from now.

    Raises SearchTooLong then.
    """

    def __init__(self, within: float, block: int) -> None:
        self._within = within
        self._ends_at = time.monotonic() + within
        self._block = block

    def lines_with(self, needle: bytes, file: OpenSegment) -> Iterator[bytes]:
        """The complete lines with `needle` in them, last first."""
        end = self._last(b"\n", file, file.size) + 1
        while (hit := self._last(needle, file, end)) >= 0:
            start = self._last(b"\n", file, hit) + 1
            yield file.lines(start, self._block)[0]
            end = start

    def _last(self, needle: bytes, file: OpenSegment, end: int) -> int:
        """Where `needle` stands last before byte `end`; -1 when it does not."""
        while end >= len(needle):
            self._check()
            start = max(0, end - self._block - len(needle))
            at = os.pread(file.fd, end - start, start).rfind(needle)
            if at >= 0:
                return start + at
            if start == 0:
                break
            end = start + len(needle) - 1
        return -1

    def _check(self) -> None:
        if time.monotonic() > self._ends_at:
            raise SearchTooLong(f"not found within {self._within:g} s")


def _answers(found: Generation, wanted: str, tenants: frozenset[str] | None) -> bool:
    is_visible = tenants is None or found.tenant in tenants
    return is_visible and wanted in (found.id, found.upstream_id)
