"""Ending a connection with a TCP reset."""

import socket
import struct
from typing import Any


def reset_at_close(connection: Any) -> None:
    """Have a socket, or what a transport shows of its own, end so when it is closed (socket(7))."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
