"""Where a user goes and why: the answer of `GET /route`, also made from a configuration alone."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from gateway.api.moves import Moves
from gateway.calls.call import Call, EndUser
from gateway.calls.endpoint import ENDPOINTS
from gateway.config import StickySource
from gateway.generation import Route
from gateway.metrics.snapshot import ProviderState
from gateway.routing.explain import Explanation, explain
from gateway.routing.pool import Pool


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """A provider as it stands with a user: `choice` counts from 1, `share` is of all users.

    `obstacle`: what keeps the user away now; `returns_in`: seconds until that is over, where known.
    `ejections` in a row; `routed`: calls that ever went to it, by route.
    """

    choice: int
    provider: str
    share: float
    obstacle: Literal["busy", "waiting", "out", "full"] | None
    why: str
    returns_in: float | None
    in_flight: int
    max_in_flight: int
    available: bool
    ejections: int
    routed: Mapping[str, int]


class UserRoute(msgspec.Struct, frozen=True, kw_only=True):
    """The user of a `key`, and where a call of theirs for `model` goes now; both null where only a
    change was asked about.

    `provider` is null when nobody is left, and where users have no home: then the route is
    `unkeyed`. `moves`: what the change that was asked about would do.
    """

    key: str | None
    user: str | None
    model: str | None
    provider: str | None = None
    route: Route | None = None
    choices: tuple[Choice, ...] = ()
    moves: Moves | None = None


def ring_key_of(tenant: str, user: str, sources: tuple[StickySource, ...]) -> bytes | None:
    """The key on the ring of a call that names this user and nothing else."""
    call = Call(endpoint=ENDPOINTS["chat/completions"], tenant=tenant, user=EndUser(user, "user"))
    return call.sticky_key(sources)


def with_choices(
    asked: UserRoute,
    pool: Pool,
    ring_key: bytes | None,
    states: Mapping[str, ProviderState],
    now: float,
) -> UserRoute:
    """`asked` with its answer at `now`, monotonic seconds; `states` are the pool's providers'."""
    if ring_key is None:
        return msgspec.structs.replace(asked, route="unkeyed")
    chosen = pool.choose(ring_key, now)
    choices = (_choice(each, states[each.provider.name]) for each in explain(pool, ring_key, now))
    return msgspec.structs.replace(
        asked,
        provider=chosen.provider.name if chosen else None,
        route=chosen.route if chosen else None,
        choices=tuple(choices),
    )


def _choice(explained: Explanation, state: ProviderState) -> Choice:
    provider, obstacle = explained.provider, explained.obstacle
    name = obstacle.name.lower() if obstacle else None
    return Choice(
        choice=explained.choice,
        provider=provider.name,
        share=explained.share,
        obstacle=name,  # type: ignore[arg-type]  # those of the Literal are its names
        why=explained.why,
        returns_in=explained.returns_in,
        in_flight=state.in_flight,
        max_in_flight=state.max_in_flight,
        available=not state.is_out and state.in_flight < state.max_in_flight,
        ejections=provider.health.ejections,
        routed=state.routed,
    )
