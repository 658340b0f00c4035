"""The backlog: what the journals in a folder hold that is not applied yet, as batches."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

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
    """Consecutive lines from byte `start` of a segment, which holds `left` bytes from there on."""

    start: int
    left: int
    lines: list[bytes]


class Place(NamedTuple):
    """Byte `offset` of a segment, and the sequence of the last record before it."""

    offset: int
    sequence: int


_BEGINNING: Final = Place(0, 0)


class Batch(NamedTuple):
    """Records to apply together, and how far into their segments that gets."""

    parcels: tuple[Parcel, ...]
    places: Mapping[Segment, Place]


class _GrowingBatch:
    """A batch while records are added to it."""

    def __init__(self, most: int) -> None:
        self.places: dict[Segment, Place] = {}
        self._most = most
        self._packer = Packer()
        self._parcels: list[Parcel] = []
        self._size = 0

    @property
    def is_full(self) -> bool:
        return len(self._parcels) == self._most or self._size >= BATCH_BYTES

    def add(self, writer: str, record: Record, size: int) -> None:
        """A record whose line has so many bytes. `writer` is its own, in one text for all."""
        parcel = self._packer.parcel(writer, record.sequence, record.generation)
        self._parcels.append(parcel)
        self._size += size

    def frozen(self) -> Batch:
        return Batch(tuple(self._parcels), self.places)


class Waiting(NamedTuple):
    """Bytes not applied yet, and when the first such record of each segment was settled, in
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
        self._places: dict[Segment, Place] = {}
        self._corrupt: dict[Segment, set[int]] = {}

    def writers(self) -> frozenset[str]:
        """All of the folder, if any has something to apply or a segment to delete; else none."""
        found = segments(self.folder)
        self._forget_all_but(found)
        is_due = any(self._due(segment) for segment in found)
        return frozenset(segment.writer for segment in found) if is_due else frozenset()

    def batches(self, positions: Mapping[str, int], most: int = BATCH_RECORDS) -> Iterator[Batch]:
        """All that is in the journals now and lies beyond `positions`, in order, at most `most`
        records in a batch.

        A position may be lower than before, when the store has crashed or was restored: what it
        lost comes again, as far as segments still have it.
        """
        batch = _GrowingBatch(most)
        for segment in segments(self.folder):
            position = positions.get(segment.writer, 0)
            place = self._place(segment)
            if place.sequence > positions.get(segment.writer, place.sequence):
                place = _BEGINNING
            reported = place.offset
            end, sequence = self._beyond(segment, place, position)
            for start, _, lines in _reads(segment, end):
                end = start
                for line in lines:
                    record = self._record(line, segment, end)
                    end += len(line) + 1
                    if record:
                        sequence = record.sequence
                        if sequence > position:
                            batch.add(segment.writer, record, len(line))
                    if batch.is_full:
                        batch.places[segment] = Place(end, sequence)
                        yield batch.frozen()
                        batch, reported = _GrowingBatch(most), end
            if end > reported:
                batch.places[segment] = Place(end, sequence)
        if batch.places:
            yield batch.frozen()

    def applied(self, batch: Batch) -> None:
        """Note that the store has the batch."""
        self._places.update(batch.places)

    def clean(self) -> None:
        """Delete the closed segments that are applied to their last line."""
        for segment in segments(self.folder):
            with segment.open_to_read() as file:
                if file.closed and not file.lines(self._place(segment).offset, limit=4096):
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

    def _forget_all_but(self, found: Sequence[Segment]) -> None:
        """Other processes delete segments too, and then nobody asks for them here any more."""
        for remembered in (self._places, self._corrupt):
            for segment in list(remembered):  # at once, as threads add to it
                if segment not in found:
                    remembered.pop(segment, None)

    def _due(self, segment: Segment) -> bool:
        with segment.open_to_read() as file:
            return file.closed or file.size > self._place(segment).offset

    def _place(self, segment: Segment) -> Place:
        return self._places.get(segment, _BEGINNING)

    def _first_new(self, segment: Segment, position: int) -> tuple[int, Record] | None:
        """The first record after a position, and how many bytes there are from it on; what comes
        before it is applied."""
        place = self._beyond(segment, self._place(segment), position)
        self._places[segment] = place
        sequence = place.sequence
        for start, left, lines in _reads(segment, place.offset):
            end = start
            for line in lines:
                record = self._record(line, segment, end)
                if record:
                    sequence = record.sequence
                    if sequence > position:
                        return start + left - end, record
                end += len(line) + 1
                self._places[segment] = Place(end, sequence)
        return None

    def _beyond(self, segment: Segment, place: Place, position: int) -> Place:
        """`place`, or a later one with nothing but records up to `position` before it.

        Few lines have to be decoded for it: sequences have no gaps, so what begins and ends with
        records and has as many lines as sequences is taken to hold nothing else.
        """
        if place.sequence >= position:
            return place
        for start, _, lines in _reads(segment, place.offset):
            first, last = _own(lines[0], segment), _own(lines[-1], segment)
            if first is None or last is None or last.sequence > position:
                break
            if last.sequence - first.sequence != len(lines) - 1:
                break
            place = Place(start + _size(lines), last.sequence)
        return place

    def _record(self, line: bytes, segment: Segment, start: int) -> Record | None:
        record = _own(line, segment)
        if record is None:
            self._skip(segment, start)
        return record

    def _skip(self, segment: Segment, start: int) -> None:
        seen = self._corrupt.setdefault(segment, set())
        if not seen:
            _log.error("%s: corrupt line at byte %d, skipped", segment.path, start)
        if start not in seen:
            seen.add(start)
            self.corrupt += 1

    def _remove(self, segment: Segment) -> None:
        if segment in self._corrupt:
            segment.path.rename(f"{segment.path}{SET_ASIDE}")
        else:
            segment.path.unlink()


def _reads(segment: Segment, start: int) -> Iterator[Read]:
    """From byte `start` up to the size that the segment has now.

    No file is open between two of them: compiled by mypyc, a generator that nobody takes to its
    end does not get to close one.
    """
    read = _read(segment, start)
    end = start + read.left
    while read.lines:
        yield read
        start += _size(read.lines)
        if start >= end:
            break
        read = _read(segment, start)


def _read(segment: Segment, start: int) -> Read:
    with segment.open_to_read() as file:
        lines = file.lines(start, _READ_BYTES) if start < file.size else []
        return Read(start, file.size - start, lines)


def _own(line: bytes, segment: Segment) -> Record | None:
    record = record_of(line)
    return record if record and record.writer == segment.writer else None


def _size(lines: Sequence[bytes]) -> int:
    """In the segment, with their line ends."""
    return sum(map(len, lines)) + len(lines)
