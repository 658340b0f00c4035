"""The keys of a script call, which its batch refers to by number."""

from collections.abc import Sequence

from gateway.ledger.redis.keys import Shard
from gateway.ledger.redis.lifetimes import Lifetimes


class KeyTable:
    """Numbers a shard's keys, from 1, and notes when each expires.

    The first five are those that the script expects first.
    """

    def __init__(self, shard: Shard, lifetimes: Lifetimes) -> None:
        self.shard = shard
        self.lifetimes = lifetimes
        self._keys: list[str] = []
        self._numbers: dict[str, int] = {}
        self._expiring: dict[int, list[int]] = {}
        for register in (shard.writers, shard.writer_days, shard.retention, shard.version):
            self.expiring(register, lifetimes.of_registers)
        self._add(shard.hold)

    def expiring(self, key: str, expire_at: int) -> int:
        """The number of a key that expires then."""
        number = self._numbers.get(key)
        if number is None:
            number = self._add(key)
            self._expiring.setdefault(expire_at, []).append(number)
        return number

    def append(self, keys: Sequence[str]) -> int:
        """Add keys in a row, which the script itself lets expire; the number before the first."""
        before = len(self._keys)
        self._keys += keys
        return before

    def boards(self, period: str, tenant: str, orders: Sequence[str]) -> list[int]:
        """The numbers of a period's boards in the order of `orders`."""
        expire_at, shard = self.lifetimes.of_period(period), self.shard
        return [self.expiring(shard.board(period, tenant, order), expire_at) for order in orders]

    @property
    def keys(self) -> list[str]:
        """All keys, in the order of their numbers."""
        return self._keys

    @property
    def expiries(self) -> list[list[int]]:
        """As a batch has them."""
        return [[expire_at, *numbers] for expire_at, numbers in self._expiring.items()]

    def _add(self, key: str) -> int:
        self._keys.append(key)
        number = self._numbers[key] = len(self._keys)
        return number
