"""A prompt cache as the big providers have it, in memory.

A prompt is cut into blocks of `step` tokens; a block is known by the hash of everything up to its
end, so two prompts share exactly the blocks of their common beginning. Prompts below `minimum`
tokens are neither looked up nor stored. (platform.openai.com/docs/guides/prompt-caching: 1024
tokens and up, in steps of 128, exact prefixes only, gone after some minutes without use.)
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence

import msgspec
from xxhash import xxh3_128

from gateway.mock.tokens import CHARACTERS, count_tokens


class CacheUse(msgspec.Struct, frozen=True):
    """Leading tokens found in the cache, and the tokens after them that were put there."""

    read: int = 0
    written: int = 0


class PromptCache:
    """Least recently used blocks go first, when `capacity` tokens are exceeded or `lifetime` ends.

    `lifetime` is in seconds of `clock` since a block was last used.
    """

    def __init__(
        self,
        *,
        capacity: int,
        lifetime: float,
        clock: Callable[[], float],
        minimum: int = 1024,
        step: int = 128,
    ) -> None:
        self._capacity = capacity
        self._lifetime = lifetime
        self._clock = clock
        self._minimum = minimum
        self._step = step
        self._used_at: OrderedDict[Hashable, float] = OrderedDict()

    @property
    def tokens(self) -> int:
        """Tokens held now, those included whose lifetime ended since the last use."""
        return len(self._used_at) * self._step

    def use(self, scope: str, text: str) -> CacheUse:
        """Look the prompt `text` up and store it. Scopes, one a model, share nothing."""
        if count_tokens(text) < self._minimum:
            return CacheUse()
        return self.use_blocks(list(self._blocks(scope, text)))

    def use_blocks(self, blocks: Sequence[Hashable]) -> CacheUse:
        """Look up and store a prompt that is cut already; a name stands for all up to its end."""
        self._forget_unused()
        read = self._leading(blocks) * self._step
        if read < self._minimum:
            read = 0
        self._store(blocks)
        return CacheUse(read=read, written=len(blocks) * self._step - read)

    def _blocks(self, scope: str, text: str) -> Iterator[bytes]:
        """The names of the whole blocks of `text`, first to last."""
        size = self._step * CHARACTERS
        prefix = xxh3_128(f"{scope}\0".encode())
        for end in range(size, len(text) + 1, size):
            prefix.update(text[end - size : end].encode())
            yield prefix.digest()

    def _leading(self, blocks: Sequence[Hashable]) -> int:
        missing = (at for at, block in enumerate(blocks) if block not in self._used_at)
        return next(missing, len(blocks))

    def _store(self, blocks: Sequence[Hashable]) -> None:
        now = self._clock()
        # Last block first: a block is of no use without those before it, so they must outlive it.
        for block in reversed(blocks):
            self._used_at[block] = now
            self._used_at.move_to_end(block)
        while self.tokens > self._capacity:
            self._used_at.popitem(last=False)

    def _forget_unused(self) -> None:
        oldest = self._clock() - self._lifetime
        while self._used_at and next(iter(self._used_at.values())) < oldest:
            self._used_at.popitem(last=False)
