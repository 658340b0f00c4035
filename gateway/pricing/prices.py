"""What every call cost: by the upstream's own figure, else by the configuration, else by the
catalogue."""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from gateway.config import Provider
from gateway.generation import Extras, Usage
from gateway.pricing.catalogue import LONGEST_NAME, REMEMBERED, Catalogue
from gateway.pricing.configured import configured_tariffs
from gateway.pricing.tariff import Tariff

_log = logging.getLogger(__name__)


class Prices:
    """The prices of all providers."""

    def __init__(
        self,
        providers: Sequence[Provider],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._configured = {each.name: configured_tariffs(each) for each in providers}
        self._catalogue = Catalogue(providers, now)
        self._missing: set[tuple[str, str]] = set()

    def cost(
        self, provider: str, model: str | None, usage: Usage, reported: int | None
    ) -> tuple[int, int]:
        """What `usage` costs at `provider`, and its cache discount, in nano-dollars.

        The discount is what cached tokens saved against the input price, less what cache writes
        cost on top of it; negative where the writes cost more. `model` may be the name clients ask
        for or the provider's own. `reported` is the upstream's figure in nano-dollars; it holds
        even when it is 0, and then only the discount is ours.
        """
        tariff = self._tariff(provider, model or "")
        if tariff is None:
            if reported is None and (usage.prompt_tokens or usage.completion_tokens):
                self._warn(provider, model or "")
            return reported or 0, 0
        total, discount = tariff.price(usage)
        return total if reported is None else reported, discount

    def cold_surcharge(self, provider: str, model: str | None, usage: Usage) -> int:
        """Nano-dollars that the prompt would have cost less, had all of it been cached; 0 where
        that costs more."""
        cached = usage.prompt_tokens
        warm = replace(
            usage,
            cached_tokens=cached,
            cache_write_tokens=0,
            cache_write_1h_tokens=0,
            extras=_all_cached(usage.extras),
        )
        _, saved_warm = self.cost(provider, model, warm, 0)
        _, saved = self.cost(provider, model, usage, 0)
        return max(0, saved_warm - saved)

    def per_million(self, provider: str, model: str | None) -> tuple[int, int] | None:
        """Nano-dollars for a million tokens of a short prompt and of its answer; None: unknown."""
        tariff = self._tariff(provider, model or "")
        return None if tariff is None else tariff.per_million()

    def _tariff(self, provider: str, model: str) -> Tariff | None:
        configured = self._configured.get(provider)
        tariff = None if configured is None else configured.get(model)
        return tariff or self._catalogue.tariff(provider, model)

    def _warn(self, provider: str, model: str) -> None:
        """Say once that a model costs nothing because nobody knows its price."""
        if not 0 < len(model) <= LONGEST_NAME or len(self._missing) >= REMEMBERED:
            return
        if (provider, model) not in self._missing:
            self._missing.add((provider, model))
            _log.warning(
                "No price for model %r of provider %r: its calls count as free", model, provider
            )


def _all_cached(extras: Extras | None) -> Extras | None:
    if extras is None:
        return None
    return replace(
        extras,
        cached_audio_tokens=extras.prompt_audio_tokens,
        cached_image_tokens=extras.prompt_image_tokens,
    )
