"""`GET /route?user=&model=`: where a user goes now and why, and what a change would move.

A client key asks about users of its own; a management key names theirs with `key`. `leaving` is a
provider of the model, `joining` a name for a new one, of the `weight` given.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from aiohttp import web

from gateway.api.answers import json_answer
from gateway.api.context import Context, visible_tenants
from gateway.api.query import read_query
from gateway.call import Call
from gateway.endpoint import ENDPOINTS, Target
from gateway.enduser import EndUser
from gateway.errors import BadRequest, Forbidden, ModelNotFound
from gateway.keys import Tenant
from gateway.ledger.store import ActivityQuery, ActivityRow
from gateway.metrics.snapshot import ProviderState
from gateway.peers import states_of
from gateway.request import Request
from gateway.routing.explain import Standing, explain
from gateway.routing.moves import joined_by, moved_tokens, moved_users, without
from gateway.routing.pool import Pool
from gateway.routing.ring import Ring

PARAMETERS = ("user", "model", "key", "leaving", "joining", "weight")
_DAY = 86400
_HEAVIEST = 1000.0


async def get_route(context: Context, request: Request, target: Target) -> web.Response:
    """The choices of one user, and, asked for, what `leaving` or `joining` would move."""
    tenant = context.keyring.tenant(request)
    values = read_query(target.query, PARAMETERS)
    pool = _pool(context, values.get("model"))
    owner = _owner(context, tenant, values.get("key"))
    route: dict[str, Any] = {"key": owner, "user": values.get("user"), "model": values.get("model")}
    if user := values.get("user"):
        now = time.monotonic()
        states = await states_of(pool.members, context.peers, now)
        route |= _route(pool, _position(context, owner, user), states, now)
    if after := _changed(pool, values):
        rows = await _latest(context, tenant)
        tokens = [(_key(row), _tokens(row)) for row in rows if _lives_in(row, pool, context)]
        route["moves"] = await asyncio.to_thread(_moves, pool.ring, after, tokens)
    elif not user:
        raise BadRequest("Parameter `user` is missing", "user")
    return json_answer({"data": route})


def _pool(context: Context, model: str | None) -> Pool:
    pool = context.router.pool(model)
    if not pool:
        raise ModelNotFound(f"No provider serves the model `{model}`", "model")
    return pool


def _owner(context: Context, tenant: Tenant, key: str | None) -> str:
    """The tenant whose users are meant."""
    if tenant.role == "client":
        if key not in (None, tenant.name):
            raise Forbidden("This key may only ask about users of its own")
        return tenant.name
    clients = [each.name for each in context.config.keys if each.role == "client"]
    names = clients or [tenant.name]
    if key is None and len(names) == 1:
        return names[0]
    if key not in names:
        raise BadRequest(f"Parameter `key` must be one of {', '.join(names)}", "key")
    return key


def _position(context: Context, owner: str, user: str) -> bytes | None:
    call = Call(endpoint=ENDPOINTS["chat/completions"], tenant=owner, user=EndUser(user, "user"))
    return call.sticky_key(context.config.sticky.key)


def _route(
    pool: Pool, position: bytes | None, states: Mapping[str, ProviderState], now: float
) -> dict[str, Any]:
    """Without a position, users have no home: `sticky.key` does not name them."""
    if position is None:
        return {"provider": None, "route": "unkeyed", "choices": []}
    choice = pool.choose(position, now)
    return {
        "provider": choice.provider.name if choice else None,
        "route": choice.route if choice else None,
        "choices": [
            _standing(each, states[each.provider.name]) for each in explain(pool, position, now)
        ],
    }


def _standing(standing: Standing, state: ProviderState) -> dict[str, Any]:
    provider, obstacle = standing.provider, standing.obstacle
    return {
        "choice": standing.choice,
        "provider": provider.name,
        "share": standing.share,
        "obstacle": obstacle.name.lower() if obstacle else None,
        "why": standing.why,
        "returns_in": standing.returns_in,
        "in_flight": state.in_flight,
        "max_in_flight": state.max_in_flight,
        "available": not state.is_out and state.in_flight < state.max_in_flight,
        "ejections": provider.health.ejections,
        "routed": state.routed,
    }


def _changed(pool: Pool, values: dict[str, str]) -> Ring | None:
    leaving, joining = values.get("leaving"), values.get("joining")
    if leaving is not None and joining is not None:
        raise BadRequest("Parameters `leaving` and `joining` are two questions", "joining")
    if leaving is not None:
        if leaving not in pool.ring.weights or len(pool) == 1:
            others = ", ".join(pool.ring.weights)
            raise BadRequest(f"Parameter `leaving` must be one of several: {others}", "leaving")
        return without(pool.ring, leaving)
    if joining is not None:
        if joining in pool.ring.weights:
            raise BadRequest("Parameter `joining` must be a new name", "joining")
        return joined_by(pool.ring, joining, _weight(values.get("weight", "1")))
    return None


def _weight(text: str) -> float:
    try:
        weight = msgspec.convert(text, float, strict=False)
    except msgspec.ValidationError:
        weight = 0.0
    if not 0 < weight <= _HEAVIEST:
        raise BadRequest("Parameter `weight` must be a number above 0, up to 1000", "weight")
    return weight


async def _latest(context: Context, tenant: Tenant) -> Sequence[ActivityRow]:
    """What users did since yesterday 00:00 UTC, as far as the key may see it."""
    if context.config.sticky.key[:1] != ("user",):
        return ()
    today = int(context.now()) // _DAY
    query = ActivityQuery(
        since=today - 1, until=today, tenants=visible_tenants(tenant), by=frozenset({"user"})
    )
    store = await context.ledger.fresh()
    return await store.activity(query)


def _lives_in(row: ActivityRow, pool: Pool, context: Context) -> bool:
    return row.user is not None and context.router.pool(row.model) is pool


def _key(row: ActivityRow) -> bytes:
    return f"{row.tenant}\0{row.user}".encode()


def _tokens(row: ActivityRow) -> int:
    return row.counts.prompt_tokens + row.counts.completion_tokens


def _moves(before: Ring, after: Ring, tokens: Iterable[tuple[bytes, int]]) -> dict[str, Any]:
    users = moved_users(before, after)
    return {
        "users": sum(users.values()),
        "tokens": moved_tokens(before, after, tokens),
        "between": [
            {"from": old, "to": new, "users": share} for (old, new), share in sorted(users.items())
        ],
    }
