"""How records are kept: small, and as they were."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gateway.generation import Attempt, Flag, Usage
from gateway.ledger.redis.packing import pack, unpack
from tests.generations import generation

PACKED = bytes.fromhex(
    "28b52ffd601f00350300c40232303030302d303030303031323830617070636861742e31736d616132303130353437"
    "41207469746c65227d1300e1e416462ab748778890d955a40f23928d97d4999b9a7d2777f8d74e656e2c1019484240"
    "fa99901342c44b1181e78027889909620104"
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
