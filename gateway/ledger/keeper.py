"""Background work on a ledger, done by one process for all that share its journals."""

import asyncio
import logging
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from gateway import config
from gateway.calendar import SECOND, whole_days
from gateway.ledger.shipper import Shipper
from gateway.ledger.store import StoreUnavailable

_LEAP = 24.0
"""Hours that a clock may go ahead at once and is believed."""

_LOOK_EVERY = 0.25

_log = logging.getLogger(__name__)


class Expiry(NamedTuple):
    """When one began: in seconds since the epoch, and on the monotonic clock, which nobody sets."""

    at: float
    steady: float


class Keeper:
    """Ships, and every `expire_every` seconds expires what is past its retention.

    `clock` tells seconds since the epoch. `last_expiry`: that of the keeper before this one;
    without one, the first is due at once.

    A clock that leaps ahead is not believed until the next expiry is due: what is expired in error
    is gone for good.
    """

    def __init__(
        self,
        shipper: Shipper,
        retention: config.Retention,
        clock: Callable[[], float] = time.time,
        last_expiry: Expiry | None = None,
        expire_every: float = 3600.0,
    ) -> None:
        self._shipper = shipper
        self._retention = retention
        self.last_expiry = last_expiry
        self._expire_every = expire_every
        self._clock = clock
        self._expiry: asyncio.Task[None] | None = None

    @property
    def failures(self) -> int:
        """How often this process could not reach the store, or read the journals."""
        return self._shipper.failures

    def start(self) -> None:
        """Begin, in the background."""
        self._shipper.start()
        self._expiry = asyncio.create_task(self._expire_regularly())

    async def finish(self, within: float) -> None:
        """Ship what `within` seconds allow, and stop."""
        await self._expire_no_more()
        await self._shipper.finish(within)

    async def stop(self) -> None:
        """Do no more; the rest waits in the journals."""
        await self._expire_no_more()
        await self._shipper.stop()

    async def expire(self) -> None:
        """Expire what is past its retention. Raises StoreUnavailable."""
        now = self._clock()
        generations_before = int((now - self._retention.generations) * SECOND)
        activity_before = whole_days(now - self._retention.activity)
        await self._shipper.store.expire(generations_before, activity_before)

    async def _expire_regularly(self) -> None:
        while True:
            if self.last_expiry:
                await asyncio.sleep(self.last_expiry.steady + self._expire_every - time.monotonic())
            before, self.last_expiry = self.last_expiry, Expiry(self._clock(), time.monotonic())
            leap = _leap(before, self.last_expiry) if before else 0.0
            if leap > _LEAP:
                _log.error("the clock leapt %.0f hours ahead: nothing expires for now", leap)
                continue
            try:
                await self.expire()
            except StoreUnavailable as error:
                _log.warning("retention waits for the store: %s", error)
            except Exception:  # noqa: BLE001  # else nobody would forget what is old
                _log.exception("retention failed, and is tried again")

    async def _expire_no_more(self) -> None:
        if self._expiry:
            self._expiry.cancel()
            await asyncio.wait([self._expiry])


def _leap(before: Expiry, now: Expiry) -> float:
    """By how many hours the clock went further than time did."""
    return ((now.at - before.at) - (now.steady - before.steady)) / 3600


async def watch_journals(folder: Path, notify: Callable[[], None]) -> None:
    """Call `notify` when other processes append to the journals in `folder`, until cancelled."""
    seen: dict[str, int] = {}
    while True:
        found = _sizes(folder)
        if any(size > seen.get(name, 0) for name, size in found.items()):
            notify()
        seen = found
        await asyncio.sleep(_LOOK_EVERY)


def _sizes(folder: Path) -> dict[str, int]:
    """Of each file that can be seen; one that is deleted meanwhile is left out."""
    sizes = {}
    with suppress(OSError), os.scandir(folder) as files:
        for file in files:
            with suppress(FileNotFoundError):
                sizes[file.name] = file.stat().st_size
    return sizes
