"""What kind of provider a mock plays."""

import msgspec

from gateway.mock.faults import Fault
from gateway.units import Duration


class MockSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One mock provider; all times are in seconds, all sizes in tokens.

    `latency` passes before the first byte of every answer, `latency_per_1k` more for every
    thousand prompt tokens that were not in the cache. `token_rate`: tokens answered per second,
    None for as fast as it goes. `seed` decides which requests meet a fault. `cache_minimum` and
    `cache_step`: the shortest prompt that is cached, and the grain of what is found again.
    `api_key`: what clients must send, None lets everyone in. `remember`: requests kept to look at.
    """

    name: str = "mock"
    models: tuple[str, ...] = ("gpt-4o-mini", "gpt-4.1-nano", "claude-haiku-4-5")
    latency: Duration = Duration(0)
    latency_per_1k: Duration = Duration(0)
    token_rate: float | None = None
    fail: tuple[Fault, ...] = ()
    seed: int = 0
    cache_tokens: int = 1_000_000
    cache_lifetime: Duration = Duration(300)
    cache_minimum: int = 1024
    cache_step: int = 128
    api_key: str | None = None
    remember: int = 1000

    @property
    def pause(self) -> float:
        """Seconds from one token to the next."""
        return 1 / self.token_rate if self.token_rate else 0.0

    def first_byte_after(self, uncached_tokens: int) -> float:
        """Seconds from the request to the first token of its answer."""
        return self.latency + self.latency_per_1k * uncached_tokens / 1000
