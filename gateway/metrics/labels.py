"""Label values that a client cannot make up, so that no client can grow the number of series."""

from collections.abc import Sequence

from genai_prices.data_snapshot import get_snapshot

from gateway.config import Provider

OTHER = "other"
"""In place of every value that is not one of those known."""


class ModelLabels:
    """Models under their own name: those configured, and those in the price list."""

    def __init__(self, providers: Sequence[Provider]) -> None:
        listed = (model.id for maker in get_snapshot().providers for model in maker.models)
        configured = (model for each in providers for model in each.upstream_models or ())
        self._known = frozenset((*listed, *configured))

    def label(self, model: str | None) -> str:
        """`model` itself if it is known; empty where a call names none."""
        if not model:
            return ""
        return model if model in self._known else OTHER


def status_class(status: int) -> str:
    """`200` -> `2xx`."""
    return f"{status // 100}xx"
