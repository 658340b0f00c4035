"""Generation ids in OpenRouter's form: `gen-`, the second it was made, what makes it unique."""

import secrets
from time import time


class GenerationIds:
    """Makes ids that no other process or run makes: a random prefix of its own, and a count."""

    def __init__(self) -> None:
        self._run = secrets.token_hex(6)
        self._count = 2**32
        self._second = 0
        self._start = ""

    def next(self) -> str:
        """The next id, e.g. `gen-1763697210-5f0c2b7a91d400000001`; sorts by second."""
        second = int(time())
        if second != self._second:
            self._second, self._start = second, f"gen-{second}-{self._run}"
        digits = hex(self._count)[3:]  # after `0x1`, so that eight are left with their zeros
        self._count += 1
        return self._start + digits
