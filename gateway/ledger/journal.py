"""The journal: where a generation is safe before the client has its last byte.

One writer (one run of one process) appends to files of its own, so writers never wait for each
other. A record is one line, and no line is in two writes: it survives the death of the process the
moment `append` or `append_all` returns. It is not synced: a power cut may take what no shipper has
applied yet.
"""

import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from gateway.generation import Generation, Record
from gateway.ledger.losses import add_loss, prepare_losses
from gateway.ledger.segment import Segment

SEGMENT_SIZE = 64 * 1024 * 1024


class JournalError(Exception):
    """The journal cannot take a record; the text names the folder and says why."""


class Journal:
    """Appends to `folder`, which is made if need be. Make it after forking, never before.

    `writer` must be unique among all runs that ever share a store; a random one is made when it is
    None. Raises JournalError when the folder cannot be written to.
    """

    def __init__(
        self, folder: Path, writer: str | None = None, segment_size: int = SEGMENT_SIZE
    ) -> None:
        self.folder = folder
        self.writer = writer or secrets.token_hex(8)
        self._segment_size = segment_size
        self._sequence = 0
        self._size = 0
        self._torn = False
        self._encoder = msgspec.json.Encoder()
        self._segment = self._next_segment()
        try:
            self._make_folder()
            self._fd = self._segment.open_to_append()
        except OSError as error:
            raise self._failure(error) from error

    def append(self, generation: Generation) -> Record:
        """Write one record; on JournalError nothing was written and no sequence number used, and
        the folder's losses count it."""
        record = Record(self.writer, self._sequence + 1, generation)
        try:
            self._write(self._encoder.encode_lines([record]))
        except (OSError, UnicodeEncodeError) as error:
            self.begin_segment()  # the one that is full may be what fills the disk
            add_loss(self.folder)
            raise self._failure(error) from error
        self._sequence = record.sequence
        return record

    def append_all(self, generations: Sequence[Generation]) -> None:
        """Write some records in one go; on JournalError nothing of them was written."""
        writer, first = self.writer, self._sequence + 1
        # As JSON a tuple is the same as a record, and made faster.
        numbered = [(writer, n, one) for n, one in enumerate(generations, first)]
        try:
            self._write(self._encoder.encode_lines(numbered))
        except (OSError, UnicodeEncodeError) as error:
            raise self._failure(error) from error
        self._sequence += len(numbered)

    def begin_segment(self) -> None:
        """Go on in another file, if one can be made: the one before goes once it is applied."""
        if self._size and not self._torn:
            with suppress(OSError, JournalError):
                self.put_back()  # later nobody looks whether it is still there
                self._rotate()

    def put_back(self) -> bool:
        """If somebody deleted or moved the segment, write it again, in a new folder if need be;
        returns whether that was so. What was applied before does not count a second time.

        On JournalError records still go where nobody finds them: try again.
        """
        try:
            if self._fd < 0 or self._segment.is_open_as(self._fd):
                return False
            self._make_folder()
            fd = self._segment.write_again(self._fd)
        except OSError as error:
            raise self._failure(error) from error
        os.close(self._fd)
        self._fd = fd
        return True

    def close(self) -> None:
        """Let go of the segment, so that a shipper may delete it once it is applied."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd, self._size = -1, 0

    def _write(self, lines: bytes) -> None:
        if self._torn:
            self._mend()
        if self._size + len(lines) > self._segment_size:
            self.begin_segment()  # where no file can be made, the one there is takes more
        written = os.write(self._fd, lines)
        if written < len(lines):
            self._torn = True
            with suppress(OSError):
                self._mend()
            raise OSError(f"only {written} of {len(lines)} bytes fit: the disk is full")
        self._size += written

    def _mend(self) -> None:
        """Take back the part of a line that fitted: the file ends at a line end again."""
        os.ftruncate(self._fd, self._size)
        self._torn = False

    def _rotate(self) -> None:
        segment = self._next_segment()
        fd = segment.open_to_append()
        os.close(self._fd)
        self._segment, self._fd, self._size = segment, fd, 0

    def _next_segment(self) -> Segment:
        return Segment(self.writer, self._sequence + 1, self.folder)

    def _make_folder(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        prepare_losses(self.folder)

    def _failure(self, error: Exception) -> JournalError:
        return JournalError(f"journal {self.folder}: {error}")
