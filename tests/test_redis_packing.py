"""How records are kept: small, and as they were."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gateway.generation import Attempt, Flag, Usage
from gateway.ledger.redis.packing import pack, unpack
from tests.generations import generation

PACKED = bytes.fromhex(
    "38304f7356f5434a0540130d0c7441840148236a7a30b280488049a0cdf0d49158000a2ab404a28708014209049a0e"
    "c0ce04590b8bd9e25c603205f2917c9f08e422fbd808e80e5c916008944338021eeaa6d0d046c483093c2240691e5a"
    "ba392a4058b500f30c5ab5"
)


@given(st.text(), st.integers(0, 2**62), st.lists(st.text(), max_size=3))
def test_unpacked_as_it_was(text: str, number: int, tries: list[str]) -> None:
    """Whatever is in a record comes back."""
    one = generation(
        1,
        user=text,
        title=text,
        latency_ms=number,
        usage=Usage(number, number, number, number, number, True),
        attempts=tuple(Attempt(each, error=text) for each in tries),
        flags=tuple(Flag(each, text) for each in tries),
    )
    assert unpack(pack(one)) == one


def test_kept_before() -> None:
    """What an earlier version kept is read, whatever has changed in how it is kept now."""
    one = generation(1, user="user_1", title="A title")
    assert unpack(PACKED) == one


def test_small() -> None:
    """A record takes less than half of its JSON, however short that is."""
    one = generation(1)
    assert len(pack(one)) < len(msgspec.json.encode(one)) / 2
