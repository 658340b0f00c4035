"""A provider as routing sees it: its settings, its health and its live counters."""

from types import TracebackType
from typing import get_args

from gateway.config import Provider as Settings
from gateway.generation import Route
from gateway.routing.health import Health


class Provider:
    """One upstream account while the gateway runs.

    `in_flight`: calls that are with it now. `routed`: calls that were ever sent to it, by route.
    """

    def __init__(self, settings: Settings, slow_start: float = 0.0) -> None:
        self.settings = settings
        self.name = settings.name
        self.weight = settings.weight
        self.max_in_flight = settings.max_in_flight
        self.health = Health(settings.ejection, slow_start)
        self.in_flight = 0
        self.routed: dict[Route, int] = dict.fromkeys(get_args(Route), 0)
        self._lease = Lease(self)
        self._models = settings.upstream_models or {}

    def __repr__(self) -> str:
        return f"<Provider {self.name} in_flight={self.in_flight}>"

    def available(self, now: float) -> bool:
        """Whether it is in, and has room for one more call."""
        return now >= self.health.out_until and self.in_flight < self.max_in_flight

    def upstream_model(self, model: str | None) -> str | None:
        """The name it knows `model` by, of a call that names one."""
        return self._models.get(model, model) if model else None

    def lease(self, route: Route) -> "Lease":
        """Count a call that comes by `route`, and hold a place for as long as it is here."""
        self.routed[route] += 1
        return self._lease


class Lease:
    """One of a provider's places, within a `with`. It keeps no state, so one serves all calls."""

    __slots__ = ("_provider",)

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def __enter__(self) -> None:
        self._provider.in_flight += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._provider.in_flight -= 1
