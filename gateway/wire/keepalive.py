"""TCP keepalive: load balancers on the way forget a connection on which nothing moves.

They tell nobody, and a model may think for longer than that before its first byte: Azure's forget
after 240 s by default, AWS's and its NAT gateways after 350 s. The seconds are those of
Anthropic's SDK (`_base_client.py`).
"""

import socket
from contextlib import suppress
from typing import Final

_SECONDS: Final = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 60, "TCP_KEEPCNT": 5}
"""tcp(7): until the first probe, between two, and how many nobody answers before it is lost."""


def keep_alive(connected: socket.socket) -> None:
    """Have the kernel probe a connection that is silent."""
    with suppress(OSError):  # it has ended already, as the next read tells
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _SECONDS.items():
            if hasattr(socket, name):  # macOS has another name for the first
                connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
