"""What goes out to clients: all of a turn of the event loop at its end, once its records are safe.

So the records of a turn cost one write to the disk between them, and answers that go out one right
after the other wake their readers once.
"""

import asyncio
from collections.abc import Callable

from gateway.wire.unsent import close


class Outbox:
    """Writes to transports, in the order it is asked to, when the turn is over.

    `commit` makes safe what was recorded until then, before a byte goes out. Whoever writes to one
    of its transports directly, or ends it, must `flush` first. Make it in a running loop.
    """

    def __init__(self, commit: Callable[[], None]) -> None:
        self._commit = commit
        self._loop = asyncio.get_running_loop()
        self._due: list[tuple[asyncio.Transport, bytes]] = []
        self._ending: list[asyncio.Transport] = []

    def write(self, transport: asyncio.Transport, data: bytes) -> None:
        """Send `data`, if the transport is still open by then."""
        self._wake()
        self._due.append((transport, data))

    def close(self, transport: asyncio.Transport) -> None:
        """Close it after what is to be written."""
        self._wake()
        self._ending.append(transport)

    def flush(self) -> None:
        """Write, and close, what is due now."""
        self._commit()
        due, self._due = self._due, []
        ending, self._ending = self._ending, []
        for transport, data in due:
            if not transport.is_closing():
                transport.write(data)
        for transport in ending:
            close(transport)

    def _wake(self) -> None:
        if not self._due and not self._ending:
            self._loop.call_soon(self.flush)
