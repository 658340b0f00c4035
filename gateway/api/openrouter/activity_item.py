"""A row of activity: OpenRouter's, and what Hearth adds to rows that are asked for in its own way.

Fields and units: openrouter.ai/docs/api-reference/analytics/get-user-activity.
"""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from gateway.api.openrouter.endpoint_id import endpoint_id
from gateway.calendar import day_text
from gateway.ledger.counts import Counts
from gateway.ledger.queries import Dimension
from gateway.ledger.results import ActivityRow
from gateway.money import usd

BY_USER: frozenset[Dimension] = frozenset({"tenant", "user"})


class ActivityItem(msgspec.Struct, frozen=True, kw_only=True):
    """One UTC day, model and provider; `usage` in USD.

    From `key` on, Hearth's own fields: absent unless something of Hearth's own was asked for; and
    `key`, `user` and `route` where rows are by it. `cached_share`: of prompt tokens that came from
    a cache, null without any; `cache_discount`: USD saved by it; `moves`: calls that went to
    another provider than their user's call before, and `move_cost`, USD, what those of them that
    found no cache cost more.
    """

    date: str
    model: str
    model_permaslug: str
    endpoint_id: str
    provider_name: str
    usage: float
    byok_usage_inference: float = 0.0
    requests: int
    prompt_tokens: int
    completion_tokens: int
    reasoning_tokens: int
    cached_tokens: int
    key: str | UnsetType | None = UNSET
    user: str | UnsetType | None = UNSET
    route: str | UnsetType | None = UNSET
    errors: int | UnsetType = UNSET
    flags: int | UnsetType = UNSET
    cached_share: float | UnsetType | None = UNSET
    cache_discount: float | UnsetType = UNSET
    moves: int | UnsetType = UNSET
    move_cost: float | UnsetType = UNSET


GROUPS: Mapping[str, Dimension] = {"key": "tenant", "user": "user", "route": "route"}
"""What rows can be kept apart by: its name in the API -> in the ledger."""

COLUMNS = tuple(
    field.name for field in msgspec.structs.fields(ActivityItem) if field.default is not UNSET
)
"""OpenRouter's."""


def own_columns(by: Collection[Dimension]) -> tuple[str, ...]:
    """The same and Hearth's, for rows that are kept apart by `by`."""
    groups = (name for name, dimension in GROUPS.items() if dimension in by)
    return (*COLUMNS, *groups, *_warmth(Counts()))


def activity_item(row: ActivityRow, by: Collection[Dimension] | None) -> ActivityItem:
    """A row with OpenRouter's fields; with Hearth's too, and whose it is, unless `by` is None."""
    own: dict[str, Any] = {}
    if by is not None:
        names = {"key": row.tenant, "user": row.user, "route": row.route}
        own = {name: value for name, value in names.items() if GROUPS[name] in by}
        own |= _warmth(row.counts)
    counts, model, provider = row.counts, row.model or "", row.provider or ""
    return ActivityItem(
        date=day_text(row.day),
        model=model,
        model_permaslug=model,
        endpoint_id=endpoint_id(provider, model),
        provider_name=provider,
        usage=usd(counts.cost),
        requests=counts.requests,
        prompt_tokens=counts.prompt_tokens,
        completion_tokens=counts.completion_tokens,
        reasoning_tokens=counts.reasoning_tokens,
        cached_tokens=counts.cached_tokens,
        **own,
    )


def activity_row(row: ActivityRow, by: Collection[Dimension] | None) -> dict[str, Any]:
    """The same as a flat row, for tables."""
    item: dict[str, Any] = msgspec.to_builtins(activity_item(row, by))
    return item


def _warmth(counts: Counts) -> dict[str, Any]:
    prompt = counts.prompt_tokens
    return {
        "errors": counts.errors,
        "flags": counts.flags,
        "cached_share": counts.cached_tokens / prompt if prompt else None,
        "cache_discount": usd(counts.cache_discount),
        "moves": counts.moves,
        "move_cost": usd(counts.move_cost),
    }


USER_COLUMNS = own_columns(BY_USER)
