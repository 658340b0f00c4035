"""What rows can be grouped by, and which sources of counts have it."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from gateway.api.openrouter.record import finish_reason
from gateway.generation import Generation
from gateway.ledger.counts import Counts
from gateway.ledger.results import ActivityRow, HourRow, UserRow

Row = ActivityRow | HourRow | UserRow | Generation
"""What counts come in: of days, of hours, of users, or of one request."""


class Dimension(msgspec.Struct, frozen=True):
    """`value` of a row, None where it has none. `hourly`, `daily`: counts are kept by it."""

    label: str
    value: Callable[[Any], str | None]
    hourly: bool = False
    daily: bool = False
    can_be_unset: bool = True


DIMENSIONS: Mapping[str, Dimension] = {
    "model": Dimension("Model", lambda row: row.model, hourly=True, daily=True),
    "provider": Dimension("Provider", lambda row: row.provider, hourly=True, daily=True),
    "api_key_id": Dimension(
        "API Key", lambda row: row.tenant, hourly=True, daily=True, can_be_unset=False
    ),
    "external_user": Dimension("External User", lambda row: row.user, daily=True),
    "route": Dimension("Route", lambda row: row.route, daily=True),
    "finish_reason": Dimension("Finish Reason", finish_reason),
    "generation_id": Dimension("Generation", lambda row: row.id, can_be_unset=False),
}
"""OpenRouter's, of which Hearth has data; `route` is Hearth's own."""


def counts_of(row: Row) -> Counts:
    """The counts of a row."""
    return Counts.of(row) if isinstance(row, Generation) else row.counts
