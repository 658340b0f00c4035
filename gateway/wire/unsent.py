"""What has been written to a client and is not with it yet, and a close that waits for no more."""

import asyncio
import sys
from fcntl import ioctl
from termios import TIOCOUTQ


def unsent(transport: asyncio.Transport) -> int:
    """Bytes that wait for the client to take them.

    What waits below TLS uvloop does not tell. There the kernel is asked for what it has yet to get
    acknowledged (SIOCOUTQ, tcp(7)); uvloop writes at once, so nothing waits behind an idle kernel.
    """
    waiting = transport.get_write_buffer_size()
    if transport.can_write_eof():  # which TLS cannot
        return waiting
    connection = transport.get_extra_info("socket")
    if connection is None:  # it is closed
        return 0
    return waiting + int.from_bytes(ioctl(connection.fileno(), TIOCOUTQ, bytes(4)), sys.byteorder)


def close(transport: asyncio.Transport) -> None:
    """Close after what is unsent.

    In TLS uvloop then waits 30 s for the client to close as well, and many clients hear of it only
    when they ask again: who has everything is told that it was all, and not waited for.
    """
    has_everything = not transport.can_write_eof() and not unsent(transport)
    transport.close()
    if has_everything:
        asyncio.get_running_loop().call_soon(transport.abort)
