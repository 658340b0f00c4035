"""Users by where they live, on the ring of two providers that most gateways of the tests have."""

from gateway.routing.ring import Ring

POINTS = 256
"""Of a provider on the ring of the tests' gateways: so few are as good to test with as the many of
a configuration that does not say, and half of a gateway's start is to count them."""

RING = Ring({"a": 1, "b": 1}, POINTS)
"""Of the providers `a` and `b`."""


def users_of(provider: str, among: int = 100, tenant: bytes = b"default") -> list[bytes]:
    """Those of `user_0` and so on whose home it is; the tenant is that of calls without a key."""
    users = (b"user_%d" % number for number in range(among))
    return [user for user in users if RING.home(tenant + b"\0" + user) == provider]


USER_OF_A, USER_OF_B = users_of("a")[0], users_of("b")[0]
