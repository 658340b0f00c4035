"""Which providers serve a model."""

from collections.abc import Sequence

from gateway.config import Config
from gateway.errors import GatewayError, ModelNotFound, NoProvider
from gateway.routing.pool import Pool
from gateway.routing.provider import Provider


class Router:
    """Model -> pool. Providers that serve the same set of models share one ring."""

    def __init__(self, config: Config) -> None:
        slow_start = config.sticky.slow_start
        self.providers = {each.name: Provider(each, slow_start) for each in config.providers}
        self._sticky = config.sticky
        self._by_names: dict[tuple[str, ...], Pool] = {}
        named = {m for settings in config.providers for m in settings.upstream_models or {}}
        self._by_model = {model: self._pool_for(model) for model in named}
        self._any_model = self._pool_for("")  # which nobody names: who serves it serves any
        self._no_model = self._pool_for(None)

    def pool(self, model: str | None) -> Pool:
        """The providers that serve `model`; an empty pool when none does."""
        if model is None:
            return self._no_model
        return self._by_model.get(model, self._any_model)

    def nobody(self, models: Sequence[str | None]) -> GatewayError:
        """Why a call has nowhere to go if the pool of each of its `models` is empty."""
        for model in models:
            if self.pool(model).is_drained:
                whose = f" of the model `{model}`" if model else ""
                return NoProvider(f"Every provider{whose} is drained", "model")
        return ModelNotFound(f"No provider serves the model `{models[0]}`", "model")

    def _pool_for(self, model: str | None) -> Pool:
        serving = [p for p in self.providers.values() if p.settings.serves(model)]
        names = tuple(sorted(p.name for p in serving))
        if names not in self._by_names:
            self._by_names[names] = Pool(serving, self._sticky)
        return self._by_names[names]
