"""The syntax of Host and of a target's authority (RFC 3986 section 3.2, RFC 9110 section 7.2)."""

import re
from functools import lru_cache

_NAME = rb"(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*"
_IPV6 = rb"\[[0-9A-Fa-f:.]+\]"
_HOST = re.compile(rb"(?:" + _NAME + rb"|" + _IPV6 + rb")(?::[0-9]*)?")


@lru_cache(maxsize=256)
def is_host(value: bytes) -> bool:
    """Whether `value` may stand in Host; it may be empty, but it never names a user."""
    return _HOST.fullmatch(value.strip(b" \t")) is not None
