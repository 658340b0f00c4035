"""Each worker's part of the limits that the configuration sets for all of them together."""

from msgspec.structs import replace

from gateway.config import Config


def share_of(config: Config, slot: int) -> Config:
    """The configuration of the worker in a slot, counted from 0.

    Workers do not see each other's calls: each has its part of a provider's `max_in_flight`, at
    least one, and the first ones one more where it does not divide evenly.
    """
    workers = config.server.workers
    providers = tuple(
        replace(provider, max_in_flight=_part(provider.max_in_flight, workers, slot))
        for provider in config.providers
    )
    return replace(config, providers=providers)


def _part(whole: int, parts: int, slot: int) -> int:
    return max(1, whole // parts + (slot < whole % parts))
