"""A provider in simulated time: a bounded prompt cache, one queue to read prompts, and a crowd.

Prompts are read one after the other at a fixed rate, but for what the cache holds of them; answers
are written side by side, the slower the more there are. That is how an engine with continuous
batching spends its time; what a hosted provider sells is many of them.
"""

from collections.abc import Callable

import msgspec

from bench.warmth.workload import Call
from gateway.mock.promptcache import PromptCache


class Hardware(msgspec.Struct, frozen=True, kw_only=True):
    """One provider: tokens, seconds, tokens per second.

    The cache forgets a block `lifetime` after its last use; `minimum` and `step` are its shortest
    prompt and its grain. The first token comes `latency` after the prompt was read, each further
    one after `pace` and `crowding` for every other call in flight.
    """

    cache: int = 1_600_000
    lifetime: float = 300.0
    minimum: int = 1024
    step: int = 128
    latency: float = 0.05
    reading_rate: float = 32_000.0
    pace: float = 0.015
    crowding: float = 0.0002


class Visit(msgspec.Struct, frozen=True):
    """A call at a provider: when its first token comes and its last, and what was warm."""

    first_at: float
    done_at: float
    cached: int


class Backend:
    """What stands behind one provider's address. `clock` is in seconds."""

    def __init__(self, hardware: Hardware, clock: Callable[[], float]) -> None:
        self._hardware = hardware
        self._clock = clock
        self.is_up = True
        self.start()

    def start(self) -> None:
        """Be up, with an empty cache and nothing to do."""
        self.is_up = True
        self._free_at = self._clock()
        self._cache = PromptCache(
            capacity=self._hardware.cache,
            lifetime=self._hardware.lifetime,
            minimum=self._hardware.minimum,
            step=self._hardware.step,
            clock=self._clock,
        )

    def die(self) -> None:
        """Refuse every call from now on."""
        self.is_up = False

    def take(self, call: Call, others: int) -> Visit:
        """Accept `call` beside `others` that are in flight."""
        hardware, now = self._hardware, self._clock()
        cached = self._look_up(call)
        self._free_at = max(now, self._free_at) + (call.prompt - cached) / hardware.reading_rate
        first_at = self._free_at + hardware.latency
        writing = call.answer * (hardware.pace + hardware.crowding * others)
        return Visit(first_at, first_at + writing, cached)

    def _look_up(self, call: Call) -> int:
        if call.prompt < self._hardware.minimum:
            return 0
        return self._cache.use_blocks(call.blocks(self._hardware.step)).read
