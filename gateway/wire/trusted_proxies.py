"""Whom a proxy in front speaks for: the fields in which it says who the client is.

A client may write the same fields. What is believed of them is what proxies that are trusted have
added, from the right: each of them appends the address that it was called from.
"""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from gateway.calls.head import Headers

_Address = IPv4Address | IPv6Address

_NODE: Final = re.compile(
    r"\[ ([\da-f:.]+) \] (?: :\d+ )? | ([\d.]+) (?: :\d+ )? | ([\da-f:.]+)",
    re.ASCII | re.IGNORECASE | re.VERBOSE,
)
"""An address as proxies write it: with a port or without, IPv6 in brackets or without."""


class TrustedProxies:
    """Those in `networks`, each an address or a network as `ipaddress.ip_network` reads it."""

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks: Final = [ip_network(network) for network in networks]

    def trust(self, peer: str) -> bool:
        """Whether `peer`, a socket's other end, is one of them."""
        if not self._networks:
            return False
        address = _read(peer.partition("%")[0])  # what follows is the network interface
        return address is not None and self._have(address)

    def client(self, headers: Headers, peer: str) -> str:
        """Who sent a request that the trusted `peer` brought.

        The right-most address of `X-Forwarded-For` that is none of theirs, and where all are, the
        left-most. What stands to the left of something that is no address is not believed.
        """
        client = peer
        for node in reversed(_listed(headers, b"x-forwarded-for")):
            address = _read(node)
            if address is None:
                break
            client = str(address)
            if not self._have(address):
                break
        return client

    def _have(self, address: _Address) -> bool:
        return any(address in network for network in self._networks)


def is_secure(headers: Headers) -> bool:
    """Whether a trusted proxy says that the client came by https; the first of several says it."""
    return [each.lower() for each in _listed(headers, b"x-forwarded-proto")[:1]] == ["https"]


def _read(node: str) -> _Address | None:
    """An address, IPv4 also where it is written as IPv6 (RFC 4291 section 2.5.5.2)."""
    match = _NODE.fullmatch(node)
    if match is None:
        return None
    try:
        address = ip_address(match[1] or match[2] or match[3])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _listed(headers: Headers, name: bytes) -> list[str]:
    """What is in a list that may be in several fields; RFC 9110 sections 5.3 and 5.6.1."""
    values = [value for field, value in headers if field.lower() == name]
    listed = [each.strip() for each in b",".join(values).decode("latin-1").split(",")]
    return [each for each in listed if each]
