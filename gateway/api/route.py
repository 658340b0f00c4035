"""`GET /route?user=&model=`: where a user goes now and why, and what a change would move.

A client key asks about users of its own; a management key names theirs with `key`.
"""

import time
from collections.abc import Mapping
from typing import Annotated

import msgspec
from aiohttp import web

from gateway.api.answers import json_answer
from gateway.api.context import Context, visible_tenants
from gateway.api.moves import Change, RingUsage, moves, recent_usage
from gateway.api.operation import Parameter
from gateway.api.query import read_query
from gateway.api.user_route import UserRoute, ring_key_of, with_choices
from gateway.calendar import whole_days
from gateway.calls.endpoint import Target
from gateway.calls.request import Request
from gateway.errors import BadRequest, Forbidden
from gateway.keys import Tenant
from gateway.ledger.store import StoreUnavailable, TooManyUsers
from gateway.metrics.peers import states_in
from gateway.metrics.snapshot import merged
from gateway.routing.pool import Pool

_MAX_WEIGHT = 100.0
Weight = Annotated[float, msgspec.Meta(gt=0, le=_MAX_WEIGHT)]

PARAMETERS = (
    Parameter("user", "The end user"),
    Parameter("model", "The model asked for"),
    Parameter("key", "The name of the user's key, where it is not the one that asks"),
    Parameter("leaving", "As if these providers left: names, separated by commas"),
    Parameter("joining", "As if a provider of this new name joined"),
    Parameter("weight", "The joining provider's weight, by default 1", Weight),
)
_NAMES = tuple(parameter.name for parameter in PARAMETERS)


class RouteAnswer(msgspec.Struct, frozen=True):
    data: UserRoute


async def get_route(context: Context, request: Request, target: Target) -> web.Response:
    """The choices of one user, and, asked for, what a change would move."""
    tenant = context.keyring.tenant(request)
    values = read_query(target.query, _NAMES)
    pool = _pool(context, values.get("model"))
    change = _change(pool, values)
    if "user" not in values and change is None:
        raise BadRequest("Parameter `user` is missing", "user")
    found = _asked(context, tenant, values)
    ring_key = None
    if found.key is not None and found.user is not None:
        ring_key = ring_key_of(found.key, found.user, context.config.sticky.key)
        everywhere = merged(await context.peers.snapshots())
        now = time.monotonic()
        states = states_in(everywhere, pool.members, now)
        found = with_choices(found, pool, ring_key, states, now)
    if change is not None:
        usage = await _usage(context, tenant, None if found.model is None else pool)
        moved = await moves(pool.ring, change, ring_key, usage)
        found = msgspec.structs.replace(found, moves=moved)
    return json_answer(RouteAnswer(found))


def _asked(context: Context, tenant: Tenant, values: Mapping[str, str]) -> UserRoute:
    """The question alone: whose way, and for which model."""
    user, key = values.get("user"), values.get("key")
    is_anyones = user is None and key is None
    owner = None if is_anyones else _owner(context, tenant, key)
    return UserRoute(key=owner, user=user, model=values.get("model"))


def _pool(context: Context, model: str | None) -> Pool:
    pool = context.router.pool(model)
    if not pool:
        raise context.router.nobody([model])
    return pool


def _owner(context: Context, tenant: Tenant, key: str | None) -> str:
    """The tenant whose users the request is about."""
    if not tenant.is_manager:
        if key not in (None, tenant.name):
            raise Forbidden("This key may only ask about users of its own")
        return tenant.name
    names = context.config.client_names or [tenant.name]
    if key is None and len(names) == 1:
        return names[0]
    if key not in names:
        raise BadRequest(f"Parameter `key` must be one of {', '.join(names)}", "key")
    return key


async def _usage(context: Context, tenant: Tenant, pool: Pool | None) -> RingUsage | None:
    """What users used recently, as far as the key may see it; None where they have no home, are too
    many to be read, or the store is away."""
    if context.config.sticky.key[:1] != ("user",):
        return None
    today = whole_days(context.now())
    try:
        store = await context.ledger.fresh()
        return await recent_usage(store, context.router, pool, visible_tenants(tenant), today)
    except (StoreUnavailable, TooManyUsers):
        return None


def _change(pool: Pool, values: Mapping[str, str]) -> Change | None:
    leaving, joining = values.get("leaving"), values.get("joining")
    if joining is None and "weight" in values:
        raise BadRequest("Parameter `weight` needs `joining`, whose weight it is", "weight")
    if leaving is None and joining is None:
        return None
    names = set() if leaving is None else {name.strip() for name in leaving.split(",")}
    change = Change(leaving=names, joining=joining, weight=_weight(values.get("weight", "1")))
    is_known = names <= set(pool.ring.names)
    if not is_known or (joining is None and names == set(pool.ring.names)):
        others = ", ".join(pool.ring.names)
        raise BadRequest(f"Parameter `leaving` must name some, not all, of {others}", "leaving")
    if joining in pool.ring.weights:
        raise BadRequest("Parameter `joining` must be a new name", "joining")
    return change


def _weight(text: str) -> float:
    try:
        return msgspec.convert(text, Weight, strict=False)
    except msgspec.ValidationError:
        text = f"Parameter `weight` must be a number above 0, up to {_MAX_WEIGHT:.0f}"
        raise BadRequest(text, "weight") from None
