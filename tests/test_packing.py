"""How stores keep a record: small, and as it was."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gateway.generation import Attempt, Extras, Flag, Generation, Usage
from gateway.ledger.named import named
from gateway.ledger.packing import pack, unpack
from tests.parts.generations import generation

FIELDS = Generation.__struct_fields__

KEPT = bytes.fromhex(
    "dc001fb067656e2d32303030302d303030303031cf0006239b5a3b4240a3617070b0636861742e636f6d706c657469"
    "6f6e73ccc8a26f6bc0a6757365725f31c0c0a5736d616c6cc0a161c0c0c2c014c0960a05000400c20700c0009090c0"
    "c0c0c0a741207469746c65"
)


@given(st.text(), st.integers(0, 2**62), st.lists(st.text(), max_size=3))
def test_unpacked_as_it_was(text: str, number: int, tries: list[str]) -> None:
    """Whatever is in a record comes back."""
    one = generation(
        1,
        user=text,
        title=text,
        latency_ms=number,
        usage=Usage(number, number, number, number, number, True, number, Extras(number)),
        attempts=tuple(Attempt(each, error=text) for each in tries),
        flags=tuple(Flag(each, text) for each in tries),
    )
    assert unpack(pack(one)) == one


def test_kept_before() -> None:
    """What was kept once is read for good: fields only ever come at the end."""
    assert unpack(KEPT) == generation(1, user="user_1", title="A title")


def test_kept_with_fewer_fields() -> None:
    """Fields that a version before did not know are as they are by default."""
    fields = msgspec.msgpack.decode(KEPT)
    fields[FIELDS.index("usage")] = fields[FIELDS.index("usage")][:2]
    kept = msgspec.msgpack.encode(fields[: FIELDS.index("title")])
    usage = Usage(prompt_tokens=10, completion_tokens=5)
    assert unpack(kept) == generation(1, user="user_1", usage=usage)


def test_kept_with_more_fields() -> None:
    """A version to come may share the store: what it adds is passed over."""
    kept = msgspec.msgpack.encode([*msgspec.msgpack.decode(KEPT), "new"])
    assert unpack(kept) == unpack(KEPT)


def test_kept_with_names() -> None:
    """Both stores once kept JSON objects; they are read like any other."""
    tries = (Attempt("a", status=502), Attempt("b"))
    usage = Usage(10, extras=Extras(web_searches=1))
    one = generation(1, attempts=tries, flags=(Flag("a", "b"),), usage=usage)
    assert unpack(msgspec.json.encode(named(one))) == one


def test_numbers_of_any_size() -> None:
    """What a provider answers may have more than 64 bits."""
    one = generation(1, usage=Usage(10**30, -(2**63) - 1, 2**64))
    assert unpack(pack(one)) == one


def test_small() -> None:
    """A record takes less than half of what it takes with names, however short that is."""
    one = generation(1)
    assert len(pack(one)) < len(msgspec.json.encode(named(one))) / 2
