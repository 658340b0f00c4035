"""Why a user goes where they go, in words."""

import msgspec

from gateway.routing.obstacle import Obstacle
from gateway.routing.pool import Pool
from gateway.routing.provider import Provider
from gateway.routing.ramp import place_in_queue


class Explanation(msgspec.Struct, frozen=True):
    """A provider's place in a user's order, and why: `choice` counts from 1.

    `share`: of all users. `returns_in`: seconds until nothing keeps this user away any more,
    where that is known.
    """

    choice: int
    provider: Provider
    share: float
    obstacle: Obstacle
    returns_in: float | None
    why: str


def explain(pool: Pool, key: bytes, now: float) -> list[Explanation]:
    """Every provider of the pool in the user's order of choice."""
    shares = pool.ring.shares()
    explained: list[Explanation] = []
    for choice, (provider, obstacle) in enumerate(pool.obstacles(key, now), start=1):
        before = explained[-1].provider.name if explained else None
        place = f"next on the ring after {before}" if before else "first on the ring after the user"
        returns_in = _returns_in(provider, obstacle, key, now)
        trouble = _trouble(provider, obstacle, returns_in)
        why = f"{place}; {trouble}" if trouble else place
        share = shares[provider.name]
        explained.append(Explanation(choice, provider, share, obstacle, returns_in, why))
    return explained


def _returns_in(provider: Provider, obstacle: Obstacle, key: bytes, now: float) -> float | None:
    health = provider.health
    if obstacle not in (Obstacle.OUT, Obstacle.WAITING) or health.is_down:
        return None
    place = place_in_queue(key, provider.name)
    return health.out_until + place * (health.recovered_at - health.out_until) - now


def _trouble(provider: Provider, obstacle: Obstacle, returns_in: float | None) -> str:
    calls, back = provider.in_flight, f"the user is back in {returns_in or 0:.0f} s"
    if obstacle is Obstacle.OUT:
        if provider.health.is_down:
            return "down: its probe fails"
        return f"left alone after failures, or as it asked to be; {back}"
    if obstacle is Obstacle.WAITING:
        return f"its users are coming back one by one; {back}"
    if obstacle is Obstacle.BUSY:
        return f"busy: its {calls} calls are more than its share"
    if obstacle is Obstacle.FULL:
        return f"full: {calls} calls of {provider.max_in_flight}"
    return ""
