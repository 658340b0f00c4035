"""The backlog: what the journals in a folder hold that is not applied yet, as batches."""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from gateway.generation import Record
from gateway.ledger.segment import SET_ASIDE, Segment, segments

BATCH_RECORDS = 500
BATCH_BYTES = 2 * 1024 * 1024

_log = logging.getLogger(__name__)


class Line:
    """A line from byte `start` of its segment to before `end`; `record` is None when corrupt.

    `left` is what the segment holds from `start` on.
    """

    def __init__(self, start: int, end: int, left: int, record: Record | None) -> None:
        self.start = start
        self.end = end
        self.left = left
        self.record = record


class Batch(NamedTuple):
    """Records to apply together, and how far into their segments that gets, in bytes."""

    records: tuple[Record, ...]
    offsets: Mapping[Segment, int]


class Waiting(NamedTuple):
    """Bytes not applied yet, and the first record of them in each segment."""

    size: int
    first: tuple[Record, ...]


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
        self._decoder = msgspec.json.Decoder(Record)

    def writers(self) -> frozenset[str]:
        """The writers of segments with something to apply, or that may be deleted."""
        return frozenset(segment.writer for segment in segments(self.folder) if self._due(segment))

    def batches(self, positions: Mapping[str, int], most: int = BATCH_RECORDS) -> Iterator[Batch]:
        """All that is in the journals now, in order, but for what lies within `positions`; at most
        `most` records at once."""
        records: list[Record] = []
        offsets: dict[Segment, int] = {}
        size = 0
        for segment in segments(self.folder):
            told = end = self._offset(segment)
            for line in self._lines(segment):
                end = line.end
                if line.record and _is_new(line.record, positions):
                    records.append(line.record)
                    size += end - line.start
                if len(records) == most or size >= BATCH_BYTES:
                    yield Batch(tuple(records), {**offsets, segment: end})
                    records, offsets, size, told = [], {}, 0, end
            if end > told:
                offsets[segment] = end
        if offsets:
            yield Batch(tuple(records), offsets)

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
        first: list[Record] = []
        for segment in segments(self.folder):
            for line in self._lines(segment):
                if line.record and _is_new(line.record, positions):
                    size += line.left
                    first.append(line.record)
                    break
                self._offsets[segment] = line.end
        return Waiting(size, tuple(first))

    def _due(self, segment: Segment) -> bool:
        with segment.open_to_read() as file:
            return file.closed or file.size > self._offset(segment)

    def _offset(self, segment: Segment) -> int:
        return self._offsets.get(segment, 0)

    def _lines(self, segment: Segment) -> Iterator[Line]:
        """From where the segment was applied to, up to the size it has now."""
        start = self._offset(segment)
        with segment.open_to_read() as file:
            while start < file.size and (texts := file.lines(start, BATCH_BYTES)):
                for text in texts:
                    end = start + len(text) + 1
                    yield Line(start, end, file.size - start, self._record(text, segment, start))
                    start = end

    def _record(self, text: bytes, segment: Segment, start: int) -> Record | None:
        try:
            record = self._decoder.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError):
            record = None
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


def _is_new(record: Record, positions: Mapping[str, int]) -> bool:
    return record.sequence > positions.get(record.writer, 0)
