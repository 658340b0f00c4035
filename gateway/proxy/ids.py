"""Generation ids in OpenRouter's form: `gen-`, the second of the request, what makes it unique."""

import secrets
from typing import Final

_SECOND: Final = 1_000_000
_BLOCK: Final = 256
_LAST_DIGITS: Final = [f"{number:02x}" for number in range(_BLOCK)]


class GenerationIds:
    """Makes ids that no other process or run makes: a random prefix of its own, and a count."""

    def __init__(self) -> None:
        self._run = secrets.token_hex(6)
        self._count = 0
        self._second = 0
        self._start = ""

    def next(self, received_at: int) -> str:
        """The next id, e.g. `gen-1763697210-5f0c2b7a91d400000001`; sorts by second.

        `received_at`: when its request was, in microseconds since the epoch.
        """
        second = received_at // _SECOND
        number = self._count % _BLOCK
        if second != self._second or number == 0:
            self._second = second
            self._start = f"gen-{second}-{self._run}{self._count // _BLOCK:06x}"
        self._count += 1
        return self._start + _LAST_DIGITS[number]
