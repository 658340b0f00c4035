"""The ring: the same answer everywhere, and no more movement than a change costs."""

import os
import random
import subprocess
import sys
from math import sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xxhash import xxh3_64_intdigest

from gateway.routing.ring import Ring

POINTS = 12288
THREE = ("openai-a", "openai-b", "openai-c")
FIVE = ("azure-east", "azure-west", "openai-a", "openai-b", "vllm")
USERS = [f"my-app\0user_{number}".encode() for number in range(20_000)]
CROWD = [f"my-app\0user_{number}".encode() for number in range(100_000)]
PATTERNS = (
    *("provider-{}", "openai-{}", "model-{}", "p{}.example.com", "{}", "azure/{}/gpt", "gpu{}"),
    *("10.0.0.{}", "eu-west-{}"),
)
NAMES = st.lists(st.text(min_size=1, max_size=12), min_size=2, max_size=7, unique=True)

# Every user's home on every machine that runs a released version: a change here moves them all.
ORDER_OF_THREE = {
    "my-app\0user_1": "openai-b openai-a openai-c",
    "my-app\0user_2": "openai-b openai-c openai-a",
    "my-app\0alicebob@gmail.com": "openai-a openai-c openai-b",
    "other-app\0user_1": "openai-a openai-b openai-c",
    "default\x000": "openai-c openai-a openai-b",
    "default\0Zoë": "openai-c openai-a openai-b",
    "default\0用户": "openai-c openai-b openai-a",
    "my-app\0" + "x" * 512: "openai-c openai-a openai-b",
}
ORDER_OF_FIVE = {
    "my-app\0user_1": "openai-b azure-west openai-a azure-east vllm",
    "my-app\0user_2": "azure-west vllm azure-east openai-b openai-a",
    "my-app\0alicebob@gmail.com": "openai-a vllm azure-east openai-b azure-west",
    "other-app\0user_1": "openai-a azure-west openai-b vllm azure-east",
    "default\x000": "azure-west azure-east vllm openai-a openai-b",
    "default\0Zoë": "azure-west vllm azure-east openai-a openai-b",
    "default\0用户": "azure-east azure-west openai-b openai-a vllm",
    "my-app\0" + "x" * 512: "openai-a vllm azure-east azure-west openai-b",
}
PINS = [(THREE, key, order) for key, order in ORDER_OF_THREE.items()] + [
    (FIVE, key, order) for key, order in ORDER_OF_FIVE.items()
]


def equal(names: tuple[str, ...] | list[str], points: int = POINTS) -> Ring:
    return Ring(dict.fromkeys(names, 1), points)


@pytest.mark.parametrize(("names", "key", "order"), PINS)
def test_order_of_known_users_never_changes(names: tuple[str, ...], key: str, order: str) -> None:
    """Home and every further choice of a known user are what they were when this was written."""
    ring = equal(names)
    assert " ".join(ring.walk(key.encode())) == order
    assert ring.home(key.encode()) == order.split()[0]


@given(st.permutations(FIVE))
def test_order_of_configuration_does_not_matter(names: list[str]) -> None:
    """The ring depends on which providers there are, not on how the config lists them."""
    key = b"my-app\0user_1"
    assert list(equal(names, 64).walk(key)) == list(equal(FIVE, 64).walk(key))


@pytest.mark.parametrize("seed", ["0", "4711"])
def test_hash_seed_of_the_process_does_not_matter(seed: str) -> None:
    """Another process, with another PYTHONHASHSEED, finds the same order of choice."""
    program = (
        "from gateway.routing.ring import Ring\n"
        f"ring = Ring(dict.fromkeys({set(FIVE)!r}, 1), {POINTS})\n"
        f"for key in {list(ORDER_OF_FIVE)!r}: print(*ring.walk(key.encode()))\n"
    )
    environ = {**os.environ, "PYTHONHASHSEED": seed}
    output = subprocess.check_output([sys.executable, "-c", program], text=True, env=environ)
    assert output.splitlines() == list(ORDER_OF_FIVE.values())


@pytest.mark.heavy
@pytest.mark.parametrize("lost", FIVE)
def test_leaving_moves_only_the_lost_providers_users(lost: str) -> None:
    """Its users go to their old second choice; nobody else moves."""
    before, after = equal(FIVE), equal([name for name in FIVE if name != lost])
    for user in USERS:
        choices = before.walk(user)
        home = next(choices)
        assert after.home(user) == (next(choices) if home == lost else home)


@pytest.mark.heavy
@given(NAMES, st.data())
@settings(max_examples=8, deadline=None)
def test_leaving_moves_exactly_its_own(names: list[str], data: st.DataObject) -> None:
    """Of 100,000 users of any providers, those of the one that leaves move, and nobody else."""
    lost = data.draw(st.sampled_from(names))
    before, after = equal(names), equal([name for name in names if name != lost])
    homes = [(before.home(user), after.home(user)) for user in CROWD]
    assert all((old != new) == (old == lost) for old, new in homes)


@pytest.mark.heavy
@given(NAMES, st.data())
@settings(max_examples=8, deadline=None)
def test_joining_moves_a_fair_share_and_only_to_the_newcomer(
    names: list[str], data: st.DataObject
) -> None:
    """Of 100,000 users at most 1/(N+1), and one percent, move when one joins N providers."""
    newcomer = data.draw(st.text(min_size=1, max_size=12).filter(lambda name: name not in names))
    before, after = equal(names), equal([*names, newcomer])
    moved = [after.home(user) for user in CROWD if before.home(user) != after.home(user)]
    assert set(moved) == {newcomer}
    assert len(moved) / len(CROWD) <= 1 / (len(names) + 1) + 0.01


@given(st.lists(st.text(min_size=1), min_size=1, max_size=8, unique=True), st.binary())
def test_walk_names_every_provider_once(names: list[str], key: bytes) -> None:
    """The order of choice is a permutation of the providers, headed by the home."""
    ring = equal(names, 16)
    order = list(ring.walk(key))
    assert sorted(order) == sorted(names)
    assert order[0] == ring.home(key)


@given(st.sampled_from(USERS), st.sampled_from(FIVE))
def test_order_of_the_others_survives_a_loss(user: bytes, lost: str) -> None:
    """Without one provider the rest keep their places in a user's order of choice."""
    left = [name for name in FIVE if name != lost]
    expected = [name for name in equal(FIVE, 64).walk(user) if name != lost]
    assert list(equal(left, 64).walk(user)) == expected


def test_weights_are_shares() -> None:
    """A provider of twice the weight has twice the users, within three percent."""
    shares = Ring({"light": 1, "half": 0.5, "heavy": 2.5}, POINTS).shares()
    assert shares["light"] == pytest.approx(0.25, rel=0.03)
    assert shares["half"] == pytest.approx(0.125, rel=0.03)
    assert shares["heavy"] == pytest.approx(0.625, rel=0.03)


def test_more_weight_takes_users_and_gives_none_away() -> None:
    """Raising one weight moves users only to that provider."""
    before = equal(THREE)
    after = Ring({**dict.fromkeys(THREE, 1.0), "openai-b": 2}, POINTS)
    moved = {after.home(user) for user in USERS if before.home(user) != after.home(user)}
    assert moved == {"openai-b"}


def test_weight_zero_owns_nothing() -> None:
    """A drained provider is on no one's list, as if it were not configured."""
    ring = Ring({"openai-a": 1, "openai-b": 0, "openai-c": 1}, POINTS)
    assert set(ring.walk(b"my-app\0user_1")) == {"openai-a", "openai-c"}
    assert "openai-b" not in ring.shares()


def test_smallest_weight_still_owns_something() -> None:
    """A weight that rounds to no point at all keeps one: only 0 drains."""
    assert "canary" in Ring({"main": 1, "canary": 0.000_01}, POINTS).shares()


def test_empty_ring_has_no_choice() -> None:
    """Without providers a walk ends at once, and there is no home."""
    ring = Ring({}, POINTS)
    assert list(ring.walk(b"key")) == []
    assert ring.shares() == {}
    with pytest.raises(IndexError):
        ring.home(b"key")


@pytest.mark.heavy
@pytest.mark.parametrize(("providers", "points"), [(2, 1), (3, 20_000), (256, 40), (300, 7)])
def test_a_home_is_found_as_the_first_of_a_walk(providers: int, points: int) -> None:
    """However few or many own the key space, more than a byte can number among them."""
    ring = equal([f"provider-{number}" for number in range(providers)], points)
    assert all(ring.home(user) == next(ring.walk(user)) for user in USERS)


@pytest.mark.heavy
@pytest.mark.parametrize("count", [2, 3, 5, 8, 13, 20])
def test_equal_weights_are_balanced(count: int) -> None:
    """In 54 lists of up to 20 no share is over 1.05 of the mean; their deviation is 2 % at most."""
    lists = [[each.format(number) for number in range(1, count + 1)] for each in PATTERNS]
    loads = [share * count for names in lists for share in equal(names).shares().values()]
    assert max(loads) <= 1.05
    assert sqrt(sum((load - 1) ** 2 for load in loads) / len(loads)) <= 0.02


@pytest.mark.heavy
def test_shares_are_what_users_get() -> None:
    """The computed shares sum to one and agree with where random users live."""
    ring = equal(FIVE)
    shares = ring.shares()
    assert sum(shares.values()) == pytest.approx(1)
    numbers = random.Random(7)
    homes = [ring.home(numbers.randbytes(16)) for _ in range(len(USERS))]
    for name in FIVE:
        assert homes.count(name) / len(homes) == pytest.approx(shares[name], abs=0.015)


def test_home_owns_the_next_point_clockwise() -> None:
    """Points are xxh3-64 of `name \\0 index`, looked up here the slow way; no two coincide."""
    names = ("model-1", "model-11", "model-111")
    owners = {
        xxh3_64_intdigest(name.encode() + b"\0" + str(index).encode()): name
        for name in names
        for index in range(150)
    }
    assert len(owners) == 450
    ring = equal(names, 150)
    for user in USERS[:200]:
        mark = xxh3_64_intdigest(user)
        point = min((point for point in owners if point > mark), default=min(owners))
        assert ring.home(user) == owners[point]
