"""What was recorded in one turn of the event loop, and how it gets into the journal."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from gateway.generation import Generation
from gateway.ledger.journal import Journal, JournalError

_CALM: Final = 60.0
"""A trouble is logged again once it has been absent for so many seconds."""

_NOBODYS: Final = 60
"""Records of calls without a known key that are kept in a minute."""

_LOOK_EVERY: Final = 1.0
"""Seconds between two looks whether the journal's file is still there."""

_A_DAY: Final = 86_400.0

_log = logging.getLogger(__name__)


class Recorder:
    """Gathers generations, and writes those of a turn to `journal` at once.

    `written` is called after each write. `clock` tells seconds since the epoch. `lost` counts
    generations that the journal could not take; they are gone.

    The journal goes on in another file `segment_age` seconds after a record, so that what the store
    has does not stay on the disk for years where calls are few. Until then it is put back when
    somebody deletes it.

    Of calls without a known key only some are kept: anybody can send those, and must not be able
    to fill the disk.
    """

    def __init__(
        self,
        journal: Journal,
        written: Callable[[], None],
        clock: Callable[[], float],
        segment_age: float = _A_DAY,
    ) -> None:
        self.lost = 0
        self._journal = journal
        self._written = written
        self._clock = clock
        self._troubles: dict[str, float] = {}
        self._minute = 0
        self._nobodys = 0
        self._unsafe: list[Generation] = []
        self._segment_age = segment_age
        self._is_watching = False

    def record(self, generation: Generation) -> None:
        """Have it made safe at the end of this turn of the event loop, or at the next `commit`."""
        if not generation.tenant and self._is_flooded():
            return
        if not self._unsafe:
            loop = asyncio.get_running_loop()
            loop.call_soon(self.commit)
            if not self._is_watching:
                self._is_watching = True
                self._watch(loop.time() + self._segment_age)
        self._unsafe.append(generation)

    def commit(self) -> None:
        """Make safe what was recorded until now, and say so: no answer may end before.

        Never raises: a full disk does not stop traffic.
        """
        if not self._unsafe:
            return
        unsafe, self._unsafe = self._unsafe, []
        try:
            self._journal.append_all(unsafe)
        except JournalError:
            for generation in unsafe:  # some of them may fit
                self._append(generation)
        self._written()

    def close(self) -> None:
        """Write what is left, and let go of the journal."""
        self.commit()
        self._put_back()
        self._journal.close()

    def _watch(self, until: float) -> None:
        """Put the file back where it is gone, and begin another one at `until`."""
        self._put_back()
        loop = asyncio.get_running_loop()
        left = until - loop.time()
        if left > 0:
            loop.call_later(min(left, _LOOK_EVERY), self._watch, until)
        else:
            self._is_watching = False
            self._journal.begin_segment()

    def _put_back(self) -> None:
        try:
            if self._journal.put_back():
                gone = "journal %s: its file was deleted or moved, and was put back"
                self._complain(gone, self._journal.folder)
        except JournalError as error:
            self._complain("records go to a file that was deleted or moved: %s", error)

    def _is_flooded(self) -> bool:
        minute = int(self._clock() // 60)
        if minute != self._minute:
            self._minute, self._nobodys = minute, 0
        self._nobodys += 1
        return self._nobodys > _NOBODYS

    def _append(self, generation: Generation) -> None:
        try:
            self._journal.append(generation)
        except JournalError as error:
            self.lost += 1
            # On a full disk some fit in between, whenever a segment was shipped.
            self._complain("records are being lost: %s", error)

    def _complain(self, trouble: str, about: object) -> None:
        """Each trouble by itself: a harmless one must not hide that records are lost."""
        now = self._clock()
        if now - self._troubles.get(trouble, 0.0) > _CALM:
            _log.error(trouble, about)
        self._troubles[trouble] = now
