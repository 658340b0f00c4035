"""What one worker of several may do, so that together they do what the configuration says."""

from msgspec.structs import replace

from gateway.config import Config


def share_of(config: Config, place: int) -> Config:
    """The configuration of the worker in `place`, counted from 0.

    Workers do not see each other's calls: each has its part of a provider's `max_in_flight`, at
    least one place, the first ones one more where it does not come out even.
    """
    workers = config.server.workers
    providers = tuple(
        replace(provider, max_in_flight=_part(provider.max_in_flight, workers, place))
        for provider in config.providers
    )
    return replace(config, providers=providers)


def _part(whole: int, parts: int, place: int) -> int:
    return max(1, whole // parts + (place < whole % parts))
