"""Users by where they live, on the ring of two providers that most gateways of the tests have."""

from gateway.config import Sticky
from gateway.routing.ring import Ring

RING = Ring({"a": 1, "b": 1}, Sticky().points)
"""Of the providers `a` and `b`, as alike as a configuration makes them unless it says."""


def users_of(provider: str, among: int = 100) -> list[bytes]:
    """Those of `user_0` and so on, without a key, whose home it is."""
    users = (b"user_%d" % number for number in range(among))
    return [user for user in users if RING.home(b"default\0" + user) == provider]


USER_OF_A, USER_OF_B = users_of("a")[0], users_of("b")[0]
