"""A parcel says what its generation is counted and listed by, and holds all of it."""

from gateway.generation import Flag, Record
from gateway.ledger.increments import increments_of
from gateway.ledger.packing import unpack
from gateway.ledger.parcel import parcels
from tests.parts.generations import generation, refusal


def test_what_it_says() -> None:
    """Everything a store sorts and counts by is that of the generation."""
    one = generation(
        3, route="home", upstream_id="up", status=502, outcome="cut", flags=(Flag("a", "b"),)
    )
    [parcel] = parcels([Record("w", 7, one)])
    assert (parcel.writer, parcel.sequence) == ("w", 7)
    assert (parcel.series.tenant, parcel.series.row) == ("app", ("small", "a", "home"))
    assert (parcel.id, parcel.user, parcel.upstream_id) == (one.id, "user_1", "up")
    assert (parcel.created_at, parcel.settled_at) == (one.created_at, one.settled_at)
    assert (parcel.status, parcel.outcome, parcel.is_flagged) == (502, "cut", True)
    assert parcel.increments == increments_of(one)


def test_the_whole_is_in_it() -> None:
    """Nothing of the record gets lost on the way."""
    some = [generation(1, error="x", title="y"), refusal(2)]
    made = parcels(Record("w", number, one) for number, one in enumerate(some, 1))
    assert [unpack(parcel.packed) for parcel in made] == some


def test_what_is_common_is_there_once() -> None:
    """Those of one tenant, model, provider and route share their series; what is none is empty."""
    some = [generation(1), generation(2, user="b"), generation(3, tenant="shop"), refusal(4)]
    one, same, other, refused = (
        parcel.series for parcel in parcels(Record("w", 1, each) for each in some)
    )
    assert same is one
    assert other is not one
    assert refused.row == ("small", "", "")
