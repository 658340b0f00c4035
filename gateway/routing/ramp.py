"""Slow start on a ring: users come back to a recovered provider one by one, each exactly once.

Every user has a fixed place in the queue for each provider, so all processes agree without a word;
as the share that may be back only grows, nobody who is back is sent away again.
"""

from xxhash import xxh3_64_intdigest

_PLACES = 2.0**64


def place_in_queue(key: bytes, provider: str) -> float:
    """Where in the queue to come back to `provider` this user stands, from 0 to below 1."""
    return xxh3_64_intdigest(provider.encode() + b"\0back\0" + key) / _PLACES


def is_back(key: bytes, provider: str, share: float) -> bool:
    """Whether the user belongs to the `share` of users that may be back."""
    return place_in_queue(key, provider) < share
