"""Numbers for the keys of a script call, which its batch speaks of them by."""

from collections.abc import Sequence

from gateway.ledger.redis.keys import Keys
from gateway.ledger.redis.lifetimes import Lifetimes


class Numbers:
    """Numbers a shard's keys, from 1, and notes when each may go."""

    def __init__(self, names: Keys, ends: Lifetimes) -> None:
        self.names = names
        self.ends = ends
        self._keys: list[str] = []
        self._given: dict[str, int] = {}
        self._expiring: dict[int, list[int]] = {}
        for register in (names.writers, names.writer_days, names.retention, names.version):
            self.expiring(register, ends.of_registers)
        self.of(names.hold)

    def of(self, key: str) -> int:
        """The number of a key that is told when it may go as it is written."""
        number = self._given.get(key)
        if number is None:
            self._keys.append(key)
            number = self._given[key] = len(self._keys)
        return number

    def follow(self, keys: Sequence[str]) -> int:
        """Number the keys one after the other, met before or not; the number before the first."""
        before = len(self._keys)
        self._keys += keys
        return before

    def expiring(self, key: str, end: int) -> int:
        """The number of a key that may go at `end`."""
        number = self._given.get(key)
        if number is None:
            number = self.of(key)
            self._expiring.setdefault(end, []).append(number)
        return number

    def boards(self, period: str, tenant: str, orders: Sequence[str]) -> list[int]:
        """The numbers of a period's boards in the order of `orders`."""
        end, names = self.ends.of_period(period), self.names
        return [self.expiring(names.board(period, tenant, order), end) for order in orders]

    @property
    def keys(self) -> list[str]:
        """The keys, each at the place of its number."""
        return self._keys

    @property
    def expiries(self) -> list[list[int]]:
        """As a batch has them."""
        return [[end, *numbers] for end, numbers in self._expiring.items()]
