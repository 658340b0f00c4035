"""What a change of the ring moves, against counting users."""

import pytest

from gateway.routing.moves import moved_tokens, moved_users
from gateway.routing.ring import Ring

NAMES = ("a", "b", "c", "d")
USERS = [f"my-app\0user_{number}".encode() for number in range(100_000)]


@pytest.fixture(scope="module")
def ring() -> Ring:
    return Ring(dict.fromkeys(NAMES, 1), 512)


@pytest.fixture(scope="module")
def without_b() -> Ring:
    return Ring(dict.fromkeys("acd", 1), 512)


def test_leaving_moves_its_own_share_and_no_more(ring: Ring, without_b: Ring) -> None:
    """Exactly the provider's own share of all users, from it to the others."""
    moved = moved_users(ring, without_b)
    assert sum(moved.values()) == pytest.approx(ring.shares()["b"], abs=1e-12)
    assert {(old, new) for old, new in moved} == {("b", "a"), ("b", "c"), ("b", "d")}


def test_joining_moves_the_newcomers_share(ring: Ring) -> None:
    """What it will hold is what moves, all of it to the newcomer: a fifth, and one percent."""
    after = Ring({**ring.weights, "e": 1}, 512)
    moved = moved_users(ring, after)
    assert sum(moved.values()) == pytest.approx(after.shares()["e"], abs=1e-12)
    assert {new for _, new in moved} == {"e"}
    assert sum(moved.values()) <= 1 / 5 + 0.01


def test_shares_are_what_users_do(ring: Ring, without_b: Ring) -> None:
    """Of 100,000 users, moved one by one, the same share moves each way; nobody else moves."""
    for after in (without_b, Ring({**ring.weights, "e": 2}, 512)):
        expected = moved_users(ring, after)
        moves = [(ring.home(user), after.home(user)) for user in USERS]
        for pair, share in expected.items():
            assert moves.count(pair) / len(USERS) == pytest.approx(share, abs=0.005)
        assert {(old, new) for old, new in moves if old != new} == set(expected)


def test_the_same_ring_moves_nothing(ring: Ring) -> None:
    """There is nothing to report where nothing changes."""
    assert moved_users(ring, ring) == {}


def test_tokens_move_with_their_users(ring: Ring, without_b: Ring) -> None:
    """Those of the users who move; all of them when nobody is left to serve them."""
    user = next(user for user in USERS if ring.home(user) == "b")
    other = next(user for user in USERS if ring.home(user) == "a")
    use = [(user, 30), (other, 70), (user, 1)]
    assert moved_tokens(ring, without_b, use) == 31
    assert moved_tokens(ring, Ring({}, 512), use) == 101
    assert moved_tokens(ring, without_b, []) == 0
