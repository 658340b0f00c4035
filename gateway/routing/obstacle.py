"""What stands between a user and a provider."""

from enum import IntEnum

from gateway.generation import Route
from gateway.routing.load import Bound
from gateway.routing.provider import Provider
from gateway.routing.ramp import is_back


class Obstacle(IntEnum):
    """What keeps a user from a provider, the lightest first; only a full one takes no call."""

    NOTHING = 0
    BUSY = 1
    WAITING = 2
    OUT = 3
    FULL = 4


DETOURS: dict[Obstacle, Route] = {
    Obstacle.BUSY: "spill",
    Obstacle.WAITING: "ramp",
    Obstacle.OUT: "failover",
    Obstacle.FULL: "spill",
}
"""The route of a call that goes to another provider, by what keeps its user from home."""


def obstacle_at(provider: Provider, key: bytes, share: float | None, bound: Bound) -> Obstacle:
    """What keeps the user `key` from `provider` just now.

    `share`: the part of its users that may go there, None while it is out.
    """
    if provider.in_flight >= provider.max_in_flight:
        return Obstacle.FULL
    if share is None:
        return Obstacle.OUT
    if share < 1 and not is_back(key, provider.name, share):
        return Obstacle.WAITING
    return Obstacle.BUSY if bound.is_over(provider, share) else Obstacle.NOTHING
