"""Sockets that a gateway listens on: bound to an address alone, or beside others of its own."""

import errno
import os
import socket
import ssl
from collections.abc import Sequence
from ipaddress import ip_address

from gateway.config import Server, Tls

BACKLOG = 1024

_ABSENT = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
"""What bind(2) and socket(2) say of an address that this machine has not got: where IPv6 is off,
`localhost` mostly has an IPv6 address all the same."""


def is_loopback(host: str) -> bool:
    """Whether only programs on this machine can reach a server bound to `host`."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def bind(server: Server) -> list[socket.socket]:
    """Sockets bound to each address of `server.host` that this machine has, not listening yet.

    OSError when one is taken, or when it has none of them; socket.gaierror when there are none.
    """
    bound: list[socket.socket] = []
    absent: list[OSError] = []
    port = server.port
    host = server.host.encode()  # as text, one that no DNS could have would be a UnicodeError
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    for family, place in dict.fromkeys((family, place) for family, *_, place in found):
        try:
            bound.append(_bound(family, (place[0], port, *place[2:])))
        except OSError as error:
            if error.errno not in _ABSENT:
                for each in bound:
                    each.close()
                raise
            absent.append(error)
        else:
            port = bound[0].getsockname()[1]
    if not bound:
        raise absent[0]
    return bound


def address(server: Server, sockets: Sequence[socket.socket]) -> str:
    """The URL of the gateway."""
    host = f"[{server.host}]" if ":" in server.host else server.host
    return f"{'https' if server.tls else 'http'}://{host}:{sockets[0].getsockname()[1]}"


def tls_context(tls: Tls | None) -> ssl.SSLContext | None:
    """What the sockets speak; ssl.SSLError when certificate and key do not fit, or when the key is
    encrypted."""
    if tls is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    # Without a password OpenSSL would ask a terminal for one, and wait.
    context.load_cert_chain(tls.cert, tls.key, password="")
    return context


def listen_first(bound: socket.socket) -> None:
    """Let connections come to what `bind` made, and to others of ours at its address.

    OSError when another program, that was bound at the same moment, listens there already.
    """
    try:
        bound.listen(BACKLOG)
    except OSError as error:
        raise _at(bound.getsockname(), error) from error
    # Set before, it would let the other program's socket share the address unnoticed.
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)


def bind_beside(other: socket.socket) -> socket.socket:
    """One more socket at the address of one that `bind` made."""
    beside = _socket(other.family)
    try:
        beside.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        beside.bind(other.getsockname())
    except OSError:
        beside.close()
        raise
    return beside


def _bound(family: int, place: tuple[object, ...]) -> socket.socket:
    bound = _socket(family)
    try:
        bound.bind(place)
    except OSError as error:
        bound.close()
        raise _at(place, error) from error
    return bound


def _at(place: tuple[object, ...], error: OSError) -> OSError:
    return OSError(error.errno, f"{place[0]}:{place[1]}: {os.strerror(error.errno or 0).lower()}")


def _socket(family: int) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    return made
