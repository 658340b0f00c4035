"""Where a user goes by the configuration alone: when every provider is well, and idle."""

import time

import msgspec

from gateway.api.moves import Change, RingUsage, moves, recent_usage
from gateway.api.user_route import UserRoute, ring_key_of, with_choices
from gateway.calendar import whole_days
from gateway.commands.shipper import open_shipper
from gateway.config import Config
from gateway.keys import OPEN
from gateway.ledger.store import StoreUnavailable, TooManyUsers
from gateway.metrics.snapshot import provider_states
from gateway.routing.pool import Pool
from gateway.routing.router import Router


async def configured(config: Config, asked: UserRoute, change: Change | None) -> UserRoute:
    """`asked` with its answer, and what `change` moves; the ledger says of how many tokens."""
    router = Router(config)
    pool = router.pool(asked.model)
    now = time.monotonic()
    states = {state.name: state for state in provider_states(pool.members, now)}
    ring_key = ring_key_of(asked.key or OPEN, asked.user or "", config.sticky.key)
    found = with_choices(asked, pool, ring_key, states, now)
    if change is None or ring_key is None:
        return found
    usage = await _usage(config, router, None if asked.model is None else pool)
    return msgspec.structs.replace(found, moves=await moves(pool.ring, change, ring_key, usage))


async def _usage(config: Config, router: Router, pool: Pool | None) -> RingUsage | None:
    """What all users used recently; None when the store cannot be asked, or has too many."""
    try:
        async with open_shipper(config.ledger) as shipper:
            today = whole_days(time.time())
            return await recent_usage(shipper.store, router, pool, None, today)
    except (StoreUnavailable, TooManyUsers):
        return None
