"""What systemd is told of the gateway it runs: that it serves, that it ends, that it turns.

sd_notify(3) and sd_watchdog_enabled(3): datagrams to the socket that NOTIFY_SOCKET names. Where
there is none nothing is said.
"""

import asyncio
import os
import socket
from collections.abc import Mapping
from contextlib import suppress

READY = "READY=1"
STOPPING = "STOPPING=1"
_ALIVE = "WATCHDOG=1"
_TIMEOUT = 1.0


class ServiceManager:
    """The one that `environ` speaks of."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        self._deadline = _watchdog(environ)

    def tell(self, state: str) -> None:
        """One of this module's states; lost on a manager that does not read for a second."""
        if not self._address:
            return
        # An abstract socket's name is written with an @ for its first byte.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as outlet, suppress(OSError):
            outlet.settimeout(_TIMEOUT)
            outlet.sendto(state.encode(), address)

    async def beat(self) -> None:
        """Tell twice in each deadline of its watchdog, until cancelled, that the loop turns."""
        while self._deadline:
            await asyncio.sleep(self._deadline / 2)
            self.tell(_ALIVE)


def _watchdog(environ: Mapping[str, str]) -> float:
    """Seconds after which this process counts as hung; 0 where nobody watches it."""
    is_ours = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    return int(environ.get("WATCHDOG_USEC", "0")) / 1_000_000 if is_ours else 0.0
