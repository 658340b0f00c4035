"""The consistent-hash ring: which provider a key belongs to, and which comes next.

Every provider owns `points * weight` points, each the xxh3-64 of `name \\0 index`; a key belongs to
the owner of the first point clockwise of its own hash. Pure and immutable: names and weights alone
decide, so every process, machine and restart gives the same answer, and when a provider leaves,
only its own keys move, each to the owner that comes next for it.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence

from xxhash import xxh3_64_intdigest


class Ring:
    """A ring over `weights` (name -> weight); weight 0 owns nothing.

    Memory is 12 bytes a point; a look-up is one binary search.
    """

    def __init__(self, weights: Mapping[str, float], points: int) -> None:
        self.names: Sequence[str] = sorted(name for name, weight in weights.items() if weight > 0)
        marks = sorted(
            (xxh3_64_intdigest(f"{name}\0{index}".encode()), owner)
            for owner, name in enumerate(self.names)
            for index in range(max(1, round(points * weights[name])))
        )
        self._hashes = array("Q", [mark for mark, _ in marks])
        self._owners = array("I", [owner for _, owner in marks])

    def home(self, key: bytes) -> str:
        """The owner of `key`; IndexError on an empty ring."""
        return self.names[self._owners[self._start(key)]]

    def walk(self, key: bytes) -> Iterator[str]:
        """Every name once, in the fixed order of choice of `key`: its home first."""
        seen: set[int] = set()
        start, size = self._start(key), len(self._owners)
        for step in range(size):
            owner = self._owners[(start + step) % size]
            if owner not in seen:
                seen.add(owner)
                yield self.names[owner]
                if len(seen) == len(self.names):
                    return

    def shares(self) -> dict[str, float]:
        """Name -> share of the key space, summing to 1."""
        arcs = [0] * len(self.names)
        previous = self._hashes[-1] - 2**64 if self._hashes else 0
        for mark, owner in zip(self._hashes, self._owners, strict=True):
            arcs[owner] += mark - previous
            previous = mark
        return {name: arc / 2**64 for name, arc in zip(self.names, arcs, strict=True)}

    def _start(self, key: bytes) -> int:
        position = bisect_right(self._hashes, xxh3_64_intdigest(key))
        return position if position < len(self._hashes) else 0
