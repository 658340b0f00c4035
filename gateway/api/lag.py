"""The ledger as one answer reads it, and how far behind the traffic it then is: said aloud."""

import msgspec

from gateway.api.context import Context
from gateway.ledger.store import Store

LAG_HEADER = "X-Hearth-Ledger-Lag"


class LedgerView(msgspec.Struct, frozen=True):
    """`lag`: seconds since the oldest call ended that `store` does not count yet, 0 without one."""

    store: Store
    lag: float

    @property
    def headers(self) -> dict[str, str]:
        """What every answer out of `store` carries."""
        return {LAG_HEADER: f"{self.lag:.3f}"}


class Meta(msgspec.Struct, frozen=True):
    """The same in the bodies whose form is Hearth's own; seconds."""

    lag: float


async def read_ledger(context: Context) -> LedgerView:
    """The store with all that can be brought there soon. Raises StoreUnavailable."""
    store = await context.ledger.fresh()
    lag = await context.ledger.lag()
    return LedgerView(store, round(lag.oldest, 3))
