"""Whether a request can only be meant for this machine.

A gateway without keys listens on loopback addresses only. But any website can have a browser on
this machine reach those: from its page, which `Origin` names (RFC 6454 section 7), or by a name of
its own that points here (DNS rebinding), which is in `Host`.
"""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit


@lru_cache(maxsize=256)
def is_local(host: bytes | None, origin: bytes | None) -> bool:
    """Whether `host` is localhost or an IP address, which no website can have for a name, and
    `origin` a page of this machine; an absent field is no objection."""
    here = _name(b"//" + host) if host else "localhost"
    if not (_is_localhost(here) or _address(here)):
        return False
    if origin is None:
        return True
    page = _name(origin)
    address = _address(page)
    return _is_localhost(page) or page == here or (address is not None and address.is_loopback)


def _name(url: bytes) -> str:
    try:
        return urlsplit(url.decode("latin-1")).hostname or ""
    except ValueError:
        return ""


def _is_localhost(name: str) -> bool:
    return name == "localhost" or name.endswith(".localhost")


def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(name)
    except ValueError:
        return None
