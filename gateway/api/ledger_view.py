"""Reading the ledger for an answer, which also says how far behind the traffic it is."""

import msgspec

from gateway.api.context import Context
from gateway.ledger.store import Store

LAG_HEADER = "X-Hearth-Ledger-Lag"


class LedgerView(msgspec.Struct, frozen=True):
    """`lag`: seconds since the oldest call ended that `store` does not count yet, else 0."""

    store: Store
    lag: float

    @property
    def headers(self) -> dict[str, str]:
        """For every answer that is made from `store`."""
        return {LAG_HEADER: f"{self.lag:.3f}"}


class Meta(msgspec.Struct, frozen=True):
    """The lag in bodies whose form is Hearth's own; seconds."""

    lag: float


async def read_ledger(context: Context) -> LedgerView:
    """The store, with as much as can be shipped to it soon. Raises StoreUnavailable."""
    store = await context.ledger.fresh()
    lag = await context.ledger.lag()
    return LedgerView(store, round(lag.oldest, 3))
