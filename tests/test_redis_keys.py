"""The names in Redis: no two things share one, and a user's all share a hash slot."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot

from gateway.calendar import first_day
from gateway.ledger.redis import keys
from gateway.ledger.redis.keys import Shard, Shards

NAMES = st.text(st.sampled_from("ab:%{}3A"), max_size=6)


@given(st.lists(NAMES, min_size=1, max_size=4))
def test_joined_parts_come_apart(parts: list[str]) -> None:
    """Whatever names hold, colons and percent signs included, they come back as they were."""
    assert list(keys.split(keys.joined(*parts).encode())) == parts


@given(NAMES, NAMES, NAMES, NAMES)
def test_no_two_users_share_a_key(tenant: str, user: str, other: str, name: str) -> None:
    """A colon in a name makes no user another tenant's."""
    names = Shard("hearth", 0)
    same = (tenant, user) == (other, name)
    assert (names.user("d1", tenant, user) == names.user("d1", other, name)) is same


@given(NAMES, NAMES)
def test_keys_of_a_shard_share_a_slot(tenant: str, user: str) -> None:
    """Braces in names do not matter: the first in the key are the shard's."""
    names = Shards("hearth", 16).of(tenant, user)
    slots = {
        key_slot(key.encode())
        for key in (names.writers, names.newest(tenant), names.user("m1", tenant, user))
    }
    assert len(slots) == 1


def test_users_are_spread_over_shards() -> None:
    """Each of sixteen shards gets its share, and a user's shard never changes."""
    shards = Shards("hearth", 16)
    homes = [shards.of("app", f"user_{number}") for number in range(1600)]
    assert all(60 < homes.count(names) < 140 for names in shards.all)
    assert shards.all.index(shards.of("app", "user_1")) == 15
    assert shards.all.index(shards.of("app", None)) == shards.all.index(shards.of("app", ""))


@pytest.mark.parametrize(("period", "last"), [("d20000", 20000), ("m657", first_day(658) - 1)])
def test_last_day(period: str, last: int) -> None:
    """A day ends with itself, a month where the next begins."""
    assert keys.last_day(period) == last
