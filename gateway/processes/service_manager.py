"""Notifying systemd: that the gateway is ready, that it stops, and, for its watchdog, that it runs.

sd_notify(3) and sd_watchdog_enabled(3): datagrams to the socket that NOTIFY_SOCKET names. Without
that variable nothing is sent.
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
    """The service manager that `environ` names, if any."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        self._deadline = _watchdog(environ)

    def notify(self, state: str) -> None:
        """Send one of this module's states; lost if the manager does not read for a second."""
        if not self._address:
            return
        # An abstract socket's name is written with an @ for its first byte.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as outlet:
            outlet.settimeout(_TIMEOUT)
            outlet.sendto(state.encode(), address)

    async def beat(self) -> None:
        """Notify its watchdog twice in each deadline, until cancelled."""
        while self._deadline:
            await asyncio.sleep(self._deadline / 2)
            self.notify(_ALIVE)


def _watchdog(environ: Mapping[str, str]) -> float:
    """Seconds after which this process counts as hung; 0 where nobody watches it."""
    is_ours = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    return int(environ.get("WATCHDOG_USEC", "0")) / 1_000_000 if is_ours else 0.0
