"""Where a user goes by the configuration alone: when every provider is well, and idle."""

import time

import msgspec

from gateway.api.moves import Change, Use, latest_use, moves
from gateway.api.whereabouts import Whereabouts, located, position
from gateway.calendar import whole_days
from gateway.commands.stores import open_shipper
from gateway.config import Config
from gateway.keys import OPEN
from gateway.ledger.store import StoreUnavailable
from gateway.metrics.snapshot import provider_states
from gateway.routing.pool import Pool
from gateway.routing.router import Router


async def configured(config: Config, asked: Whereabouts, change: Change | None) -> Whereabouts:
    """`asked` with its answer, and what `change` moves; the ledger says of how many tokens."""
    router = Router(config)
    pool = router.pool(asked.model)
    now = time.monotonic()
    states = {state.name: state for state in provider_states(pool.members, now)}
    place = position(asked.key or OPEN, asked.user or "", config.sticky.key)
    found = located(asked, pool, place, states, now)
    if change is None or place is None:
        return found
    use = await _use(config, router, None if asked.model is None else pool)
    return msgspec.structs.replace(found, moves=await moves(pool.ring, change, place, use))


async def _use(config: Config, router: Router, pool: Pool | None) -> Use | None:
    """What all users used of late; None when the store cannot be asked."""
    try:
        async with open_shipper(config.ledger) as shipper:
            today = whole_days(time.time())
            return await latest_use(shipper.store, router, pool, None, today)
    except StoreUnavailable:
        return None
