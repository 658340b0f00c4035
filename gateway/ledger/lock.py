"""Advisory locks on files, flock(2): the kernel drops them when their holder dies."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

_POLL = 0.005


def try_lock(fd: int, kind: int) -> bool:
    """Lock the file for the open description `fd`, unless another one holds it.

    `kind` is `fcntl.LOCK_EX`, which is exclusive, or `fcntl.LOCK_SH`, which is shared.
    """
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@asynccontextmanager
async def exclusive(folder: Path) -> AsyncIterator[None]:
    """Wait until no other process, and nobody else in this one, has its turn at the journals.

    It polls, since a thread that waits inside flock cannot be cancelled.
    """
    fd = os.open(folder / "ship.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        while not try_lock(fd, fcntl.LOCK_EX):  # noqa: ASYNC110  # other processes set no Event
            await asyncio.sleep(_POLL)
        yield
    finally:
        os.close(fd)
