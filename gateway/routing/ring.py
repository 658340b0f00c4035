"""The consistent-hash ring: which provider a key belongs to, and which comes next.

Every provider owns `points * weight` points, each the xxh3-64 of `name \\0 index`; a key belongs to
the owner of the first point clockwise of its own hash. Pure and immutable: names and weights alone
decide, so every process, machine and restart gives the same answer, and when a provider leaves,
only its own keys move, each to the owner that comes next for it.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from xxhash import xxh3_64_digest, xxh3_64_intdigest

_MAX_BITS: Final = 24
_OWNER_BITS: Final = 16
_OWNER: Final = 2**_OWNER_BITS - 1
_SPLIT: Final = 255
"""For an arc with points in it, which has no single owner, and for owners whose number does not fit
into a byte: their keys are looked up among the points."""


class Ring:
    """A ring over `weights` (name -> weight) with `points` for a weight of 1; 0 owns nothing.

    Memory is 15 to 19 bytes a point. The key space is cut into arcs of one length, 4 to 8 for each
    point: in most there is none, so that one byte tells who owns all of it. In the others a look-up
    is a binary search among some points nearby.
    """

    def __init__(self, weights: Mapping[str, float], points: int) -> None:
        self.points = points
        self.weights = {name: weights[name] for name in sorted(weights) if weights[name] > 0}
        self.names: Sequence[str] = tuple(self.weights)
        owned = _owned(self.weights, points)
        self._hashes = array("Q", [each >> _OWNER_BITS for each in owned])
        self._owners = array("H", [each & _OWNER for each in owned])
        self._shift = 64 - max(1, len(owned).bit_length() - 4)
        self._firsts = _firsts(self._hashes, self._shift)
        bits = min(_MAX_BITS, len(owned).bit_length() + 2)
        self._arc_shift = _MAX_BITS - bits
        self._arcs = _arcs(self._hashes, self._owners, bits)
        self._shares: dict[str, float] | None = None

    def home(self, key: bytes) -> str:
        """The owner of `key`; IndexError on an empty ring."""
        mark = xxh3_64_digest(key)
        arc = (mark[0] << 16 | mark[1] << 8 | mark[2]) >> self._arc_shift
        owner = self._arcs[arc]
        return self.names[self._owners[self._start(key)] if owner == _SPLIT else owner]

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
        if self._shares is None:
            self._shares = self._measure()
        return self._shares

    def marks(self) -> Sequence[int]:
        """The points in order; the arc of each reaches back to the one before it."""
        return self._hashes

    def owner_up_to(self, mark: int) -> str:
        """Whose arc ends at `mark`, or reaches over it."""
        position = bisect_left(self._hashes, mark)
        return self.names[self._owners[position if position < len(self._hashes) else 0]]

    def _measure(self) -> dict[str, float]:
        arcs = [0] * len(self.names)
        previous = self._hashes[-1] - 2**64 if self._hashes else 0
        for mark, owner in zip(self._hashes, self._owners, strict=True):
            arcs[owner] += mark - previous
            previous = mark
        return {name: arc / 2**64 for name, arc in zip(self.names, arcs, strict=True)}

    def _start(self, key: bytes) -> int:
        mark = xxh3_64_intdigest(key)
        bucket = mark >> self._shift
        first, last = self._firsts[bucket], self._firsts[bucket + 1]
        if first < last:
            first = bisect_right(self._hashes, mark, first, last)
        return first if first < len(self._hashes) else 0


def _owned(weights: Mapping[str, float], points: int) -> list[int]:
    """The points in order, each with the number of its owner as its last bits."""
    counts = [max(1, round(points * weight)) for weight in weights.values()]
    indices = [b"%d" % index for index in range(max(counts, default=0))]
    owned: list[int] = []
    for owner, (name, count) in enumerate(zip(weights, counts, strict=True)):
        start = f"{name}\0".encode()
        marks = sorted([xxh3_64_intdigest(start + index) for index in indices[:count]])
        owned += [mark << _OWNER_BITS | owner for mark in marks]
    owned.sort()  # which has only to merge what is in order already
    return owned


def _firsts(hashes: Sequence[int], shift: int) -> Sequence[int]:
    """How many points lie before each bucket of those that share their first bits, and in all."""
    firsts, first = array("I"), 0
    for bucket in range(2 ** (64 - shift)):
        first = bisect_left(hashes, bucket << shift, first)
        firsts.append(first)
    firsts.append(len(hashes))
    return firsts


def _arcs(hashes: Sequence[int], owners: Sequence[int], bits: int) -> bytes:
    """Who owns each of the arcs that share their first `bits`, as far as a byte can tell."""
    arcs = bytearray()
    for mark, owner in zip(hashes, owners, strict=True):
        arc = mark >> (64 - bits)
        if arc >= len(arcs):
            arcs += bytes((min(owner, _SPLIT),)) * (arc - len(arcs))
            arcs.append(_SPLIT)
    first = min(owners[0], _SPLIT) if owners else _SPLIT
    arcs += bytes((first,)) * (2**bits - len(arcs))
    return bytes(arcs)
