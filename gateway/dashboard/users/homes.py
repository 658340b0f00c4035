"""Where a user belongs, and how many of the calls got there."""

from collections.abc import Collection, Sequence

import msgspec

from gateway.api.user_route import ring_key_of
from gateway.dashboard.visit import Visit
from gateway.ledger.results import ActivityRow


class Home(msgspec.Struct, frozen=True):
    """Where a key's user belongs, first choice first, for some models."""

    key: str
    models: Sequence[str]
    providers: Sequence[str]


def homes_of(
    visit: Visit, user: str, rows: Sequence[ActivityRow], keys: Collection[str]
) -> list[Home]:
    """For each key that has this user, the order of providers; models that share it together.

    `keys` have the user too, beside those in `rows`. None where calls do not stick to users.
    """
    models: dict[tuple[str, tuple[str, ...]], set[str]] = {}
    for key in sorted({*keys, *(row.tenant or "" for row in rows)}):
        ring_key = ring_key_of(key, user, visit.context.config.sticky.key)
        if ring_key is None:
            return []
        for model in {row.model for row in rows if row.tenant == key} or {None}:
            pool = visit.context.router.pool(model)
            order = tuple(pool.ring.walk(ring_key)) if len(pool) else ()
            models.setdefault((key, order), set()).add(model or "no model")
    return [Home(key, sorted(names), order) for (key, order), names in models.items()]


def at_home(rows: Sequence[ActivityRow], homes: Sequence[Home]) -> tuple[int, int]:
    """How many of the requests that reached a provider reached the home of their key and model."""
    first = {
        (home.key, model): home.providers[0]
        for home in homes
        if home.providers
        for model in home.models
    }
    placed = [row for row in rows if row.provider]
    home = [
        row
        for row in placed
        if first.get((row.tenant or "", row.model or "no model")) == row.provider
    ]
    return _requests(home), _requests(placed)


def _requests(rows: Sequence[ActivityRow]) -> int:
    return sum(row.counts.requests for row in rows)
