"""Generation ids in OpenRouter's form: `gen-`, the second it was made, what makes it unique."""

import itertools
import secrets
import time


class GenerationIds:
    """Makes ids that no other process or run makes: a random prefix of its own, and a count."""

    def __init__(self) -> None:
        self._run = secrets.token_hex(6)
        self._count = itertools.count()

    def next(self) -> str:
        """The next id, e.g. `gen-1763697210-5f0c2b7a91d400000001`; sorts by second."""
        return f"gen-{int(time.time())}-{self._run}{next(self._count):08x}"
