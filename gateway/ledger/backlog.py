"""The backlog: what the journals in a folder hold that is not applied yet, as batches."""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from gateway.generation import Record
from gateway.ledger.line import record_of
from gateway.ledger.parcel import Packer, Parcel
from gateway.ledger.segment import SET_ASIDE, Segment, segments

BATCH_RECORDS = 500
BATCH_BYTES = 2 * 1024 * 1024
_READ_BYTES = 64 * 1024
"""Read at a time: lines are still in the processor's cache when their turn comes."""

_log = logging.getLogger(__name__)


class Read(NamedTuple):
    """Lines that follow each other from byte `start` of a segment on, which holds `left` more bytes
    from there."""

    start: int
    left: int
    lines: list[bytes]


class Batch(NamedTuple):
    """Records to apply together, and how far into their segments that gets, in bytes."""

    parcels: tuple[Parcel, ...]
    offsets: Mapping[Segment, int]


class Waiting(NamedTuple):
    """Bytes not applied yet, and when the first record of them in each segment was settled, in
    microseconds since the epoch."""

    size: int
    settled_at: tuple[int, ...]


class Backlog:
    """Remembers how far each segment was applied. Its methods read files: call them in threads.

    `corrupt` counts the lines met that are not records. They are skipped, and their segment is
    set aside as `….jsonl.corrupt` where another would be deleted.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.corrupt = 0
        self._offsets: dict[Segment, int] = {}
        self._corrupt: dict[Segment, set[int]] = {}

    def writers(self) -> frozenset[str]:
        """The writers of segments with something to apply, or that may be deleted."""
        return frozenset(segment.writer for segment in segments(self.folder) if self._due(segment))

    def batches(self, positions: Mapping[str, int], most: int = BATCH_RECORDS) -> Iterator[Batch]:
        """All that is in the journals now, in order, but for what lies within `positions`; at most
        `most` records at once."""
        parcels: list[Parcel] = []
        packer = Packer()
        offsets: dict[Segment, int] = {}
        size = 0
        for segment in segments(self.folder):
            writer, position = segment.writer, positions.get(segment.writer, 0)
            reported = end = self._offset(segment)
            for start, _, lines in self._reads(segment):
                end = start
                for line in lines:
                    record = self._record(line, segment, end)
                    end += len(line) + 1
                    if record and record.sequence > position:
                        parcels.append(packer.parcel(writer, record.sequence, record.generation))
                        size += len(line)
                    if len(parcels) == most or size >= BATCH_BYTES:
                        yield Batch(tuple(parcels), {**offsets, segment: end})
                        parcels, packer, offsets, size, reported = [], Packer(), {}, 0, end
            if end > reported:
                offsets[segment] = end
        if offsets:
            yield Batch(tuple(parcels), offsets)

    def applied(self, batch: Batch) -> None:
        """The store has the batch."""
        self._offsets.update(batch.offsets)

    def clean(self) -> None:
        """Delete the closed segments that are applied to their last line."""
        for segment in segments(self.folder):
            with segment.open_to_read() as file:
                if file.closed and not file.lines(self._offset(segment), limit=4096):
                    self._remove(segment)

    def waiting(self, positions: Mapping[str, int]) -> Waiting:
        """What a store with these positions still lacks; what it has is not read again."""
        size = 0
        settled_at: list[int] = []
        for segment in segments(self.folder):
            if first := self._first_new(segment, positions.get(segment.writer, 0)):
                left, record = first
                size += left
                settled_at.append(record.generation.settled_at)
        return Waiting(size, tuple(settled_at))

    def _due(self, segment: Segment) -> bool:
        with segment.open_to_read() as file:
            return file.closed or file.size > self._offset(segment)

    def _offset(self, segment: Segment) -> int:
        return self._offsets.get(segment, 0)

    def _first_new(self, segment: Segment, position: int) -> tuple[int, Record] | None:
        """The first record after a position, and how many bytes there are from it on; what comes
        before it is applied."""
        for start, left, lines in self._reads(segment):
            end = start
            for line in lines:
                record = self._record(line, segment, end)
                if record and record.sequence > position:
                    return start + left - end, record
                end += len(line) + 1
                self._offsets[segment] = end
        return None

    def _reads(self, segment: Segment) -> Iterator[Read]:
        """From where the segment was applied to, up to the size it has now."""
        start = self._offset(segment)
        with segment.open_to_read() as file:
            while start < file.size and (lines := file.lines(start, _READ_BYTES)):
                yield Read(start, file.size - start, lines)
                start += sum(map(len, lines)) + len(lines)

    def _record(self, line: bytes, segment: Segment, start: int) -> Record | None:
        record = record_of(line)
        if record and record.writer == segment.writer:
            return record
        self._skip(segment, start)
        return None

    def _skip(self, segment: Segment, start: int) -> None:
        seen = self._corrupt.setdefault(segment, set())
        if not seen:
            _log.error("%s: not a record at byte %d, skipped", segment.path, start)
        if start not in seen:
            seen.add(start)
            self.corrupt += 1

    def _remove(self, segment: Segment) -> None:
        if segment in self._corrupt:
            segment.path.rename(f"{segment.path}{SET_ASIDE}")
        else:
            segment.path.unlink()
        self._offsets.pop(segment, None)
