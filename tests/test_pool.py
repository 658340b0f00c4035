"""Pools: which providers a call may go to, in which order, and why."""

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from statistics import median
from time import perf_counter_ns

import pytest

from bench.routing.figures import at_home
from gateway.routing.pool import Pool
from tests.parts.pools import (
    KEY,
    NAMES,
    NOW,
    ORDER,
    all_choices,
    fail,
    found,
    loaded,
    member,
    pool_of,
    settings,
    three,
)

USERS = [f"my-app\0user_{number}".encode() for number in range(2000)]


def where(pool: Pool, key: bytes | None = KEY, now: float = NOW) -> tuple[str, str]:
    """The first choice."""
    return found(all_choices(pool, key, now))[0]


def test_user_goes_home_and_then_down_the_ring() -> None:
    """The home is first, everything after it is a failover, in the ring's order."""
    routes = ("home", "failover", "failover")
    assert found(all_choices(three(), KEY)) == list(zip(ORDER, routes, strict=True))


def test_full_home_spills_to_the_second_choice() -> None:
    """Who finds the home at `max_in_flight` goes to the next choice as `spill`."""
    pool = three(max_in_flight=1)
    with loaded(pool, ORDER[0], 1):
        assert found(all_choices(pool, KEY)) == [(ORDER[1], "spill"), (ORDER[2], "failover")]
    assert where(pool) == (ORDER[0], "home")


def test_two_full_providers_spill_to_the_third() -> None:
    """It is still a spill when the second choice is full as well."""
    pool = three(max_in_flight=1)
    with loaded(pool, ORDER[0], 1), loaded(pool, ORDER[1], 1):
        assert found(all_choices(pool, KEY)) == [(ORDER[2], "spill")]


def test_choice_after_a_failure_is_a_failover_though_one_is_full() -> None:
    """Home failed, the second is full: the third is tried because of the failure."""
    pool = three(max_in_flight=1)
    with loaded(pool, ORDER[1], 1):
        choice = pool.choose(KEY, NOW, {ORDER[0]})
        assert choice is not None
        assert found([choice]) == [(ORDER[2], "failover")]


def test_nothing_is_available_when_all_are_full() -> None:
    """A pool at its limit has no candidates, with a key or without."""
    pool = three(max_in_flight=1)
    with ExitStack() as stack:
        for name in NAMES:
            stack.enter_context(loaded(pool, name, 1))
        assert pool.choose(KEY, NOW) is None
        assert pool.choose(None, NOW) is None
        assert pool.first_of(NAMES, NOW, ()) is None
    assert len(pool) == 3


def test_drained_provider_is_never_a_candidate() -> None:
    """Weight 0 takes neither users nor calls without one, not even as the last choice."""
    pool = pool_of(settings("openai-a"), settings("openai-b", weight=0), settings("openai-c"))
    for key in (KEY, None):
        assert {c.provider.name for c in all_choices(pool, key)} == {"openai-a", "openai-c"}
    assert len(pool) == 2


def test_same_user_of_two_tenants_lives_in_two_places() -> None:
    """Users are kept apart by tenant: these two `user_1` have different homes."""
    assert where(three())[0] == "openai-b"
    assert where(three(), b"other-app\0user_1")[0] == "openai-a"


def test_busy_home_spills_above_its_share() -> None:
    """Home has `load_factor` times its share of all calls: the next one spills, below it stays."""
    pool = three(load_factor=1.5, floor=0)
    with loaded(pool, ORDER[0], 3), loaded(pool, ORDER[1], 2), loaded(pool, ORDER[2], 1):
        assert where(pool) == (ORDER[0], "home")  # 3 < 1.5 * 7 / 3
        with loaded(pool, ORDER[0], 1):
            assert where(pool) == (ORDER[1], "spill")  # 4 >= 1.5 * 8 / 3


def test_spill_passes_over_a_busy_second_choice() -> None:
    """Two of three are over their share: the third takes what spills from the first."""
    pool = three(load_factor=1, floor=0)
    with loaded(pool, ORDER[0], 4), loaded(pool, ORDER[1], 4):
        assert where(pool) == (ORDER[2], "spill")


def test_nobody_spills_below_the_floor() -> None:
    """A handful of calls at home is no load, however idle the others are."""
    pool = three(load_factor=1, floor=16)
    with loaded(pool, ORDER[0], 15):
        assert where(pool) == (ORDER[0], "home")
        with loaded(pool, ORDER[0], 1):
            assert where(pool) == (ORDER[1], "spill")


def test_load_is_measured_by_weight() -> None:
    """A provider of three times the weight may have three times the calls before it spills."""
    pool = pool_of(settings("light"), settings("heavy", weight=3), load_factor=1, floor=0)
    user = next(user for user in USERS if pool.ring.home(user) == "heavy")
    with loaded(pool, "heavy", 8), loaded(pool, "light", 2):
        assert where(pool, user) == ("heavy", "home")  # 8 < 3/4 of 11
        with loaded(pool, "heavy", 1):
            assert where(pool, user) == ("light", "spill")


def test_ejected_home_fails_over_until_it_is_back() -> None:
    """Its users go to their second choice, everyone else stays, and afterwards all are home."""
    pool = three(slow_start=0)
    fail(pool, ORDER[0])
    for user in USERS[:200]:
        order = list(pool.ring.walk(user))
        away = order[0] == ORDER[0]
        assert where(pool, user) == ((order[1], "failover") if away else (order[0], "home"))
        assert where(pool, user, NOW + 5) == (order[0], "home")


def test_the_sick_come_last() -> None:
    """Who failed before is tried again only after all others."""
    pool = three()
    fail(pool, ORDER[0])
    assert [name for name, _ in found(all_choices(pool, KEY))] == [ORDER[1], ORDER[2], ORDER[0]]


def test_no_more_than_half_are_ejected() -> None:
    """Of three that fall ill one is passed over, the first one; the others keep their users."""
    pool = three()
    fail(pool, ORDER[0])
    fail(pool, ORDER[1], now=NOW + 1)
    assert where(pool, KEY, NOW + 1) == (ORDER[1], "failover")
    assert where(pool, b"other-app\0user_1", NOW + 1) == ("openai-a", "home")  # ORDER[1]


def test_only_provider_is_never_ejected() -> None:
    """Where there is nobody else, its users keep their home."""
    pool = pool_of(settings("only"))
    fail(pool, "only")
    assert where(pool) == ("only", "home")


def test_probes_may_take_out_more_than_half() -> None:
    """Two of three whose probes fail are passed over, and then no call's failure ejects."""
    pool = three()
    for name in ORDER[:2]:
        for _ in range(2):
            member(pool, name).health.probed(False, NOW)
    assert where(pool) == (ORDER[2], "failover")
    fail(pool, ORDER[2])
    assert where(pool) == (ORDER[2], "failover")


def test_ring_order_holds_when_all_are_down() -> None:
    """With everyone out, users go home as if everyone were in, and calls without one in turns."""
    pool = three()
    for name in NAMES:
        for _ in range(2):
            member(pool, name).health.probed(False, NOW)
    routes = ("home", "failover", "failover")
    assert found(all_choices(pool, KEY)) == list(zip(ORDER, routes, strict=True))
    assert len(all_choices(pool, None)) == 3


@pytest.mark.heavy
def test_users_come_home_one_by_one() -> None:
    """Over the slow start each user moves back exactly once, at an even pace; then all are home."""
    pool = three(slow_start=30)
    for _ in range(2):
        member(pool, ORDER[0]).health.probed(False, NOW - 60)
    member(pool, ORDER[0]).health.probed(True, NOW)
    users = [user for user in USERS if pool.ring.home(user) == ORDER[0]]
    back: set[bytes] = set()
    for step in range(31):
        homes = {user for user in users if where(pool, user, NOW + step)[1] == "home"}
        assert back <= homes
        assert len(homes) / len(users) == pytest.approx(step / 30, abs=0.06)
        back = homes
    assert back == set(users)


def test_who_waits_is_at_the_second_choice_by_ramp() -> None:
    """The route of a user whose turn has not come is `ramp`."""
    pool = three(slow_start=30)
    fail(pool, ORDER[0])
    for user in USERS[:100]:
        order = list(pool.ring.walk(user))
        if order[0] == ORDER[0]:
            assert where(pool, user, NOW + 5.0001) == (order[1], "ramp")


def test_others_do_not_spill_to_one_that_comes_back() -> None:
    """A cold provider is no place for spilled calls before its own users are back."""
    pool = pool_of(settings("a"), settings("b"), load_factor=1, floor=0, slow_start=30)
    user = next(user for user in USERS if pool.ring.home(user) == "a")
    fail(pool, "b")
    with loaded(pool, "a", 10):
        assert where(pool, user, NOW + 5.0001) == ("a", "home")


def test_calls_without_a_user_take_turns() -> None:
    """Idle providers of one weight get the same number of calls that no user is named on."""
    turns = Counter(name for name, _ in unkeyed(three(), 30))
    assert turns == dict.fromkeys(NAMES, 10)


def test_calls_without_a_user_follow_the_weights() -> None:
    """A provider of three times the weight gets three times the calls."""
    pool = pool_of(settings("light"), settings("heavy", weight=3))
    assert Counter(name for name, _ in unkeyed(pool, 40)) == {"light": 10, "heavy": 30}


def test_calls_without_a_user_go_to_the_least_loaded() -> None:
    """What is in flight for its weight decides before whose turn it is."""
    pool = pool_of(settings("light"), settings("heavy", weight=3))
    with loaded(pool, "light", 1):
        for calls in (1, 2):
            with loaded(pool, "heavy", calls):
                assert unkeyed(pool, 1) == [("heavy", "unkeyed")]
        with loaded(pool, "heavy", 4):
            assert unkeyed(pool, 1) == [("light", "unkeyed")]


def test_calls_without_a_user_try_every_provider() -> None:
    """After a failure each of the others gets its try, once, and the sick one comes last."""
    pool = three()
    fail(pool, "openai-a")
    choices = found(all_choices(pool, None))
    assert [route for _, route in choices] == ["unkeyed", "failover", "failover"]
    assert sorted(name for name, _ in choices) == list(NAMES)
    assert choices[-1][0] == "openai-a"


def test_no_turns_are_made_up_for() -> None:
    """One that was out gets no burst of the calls it missed, and few while it comes back."""
    pool = three(slow_start=30)
    fail(pool, "openai-a")
    assert {name for name, _ in unkeyed(pool, 100)} == {"openai-b", "openai-c"}
    counts = Counter(name for name, _ in unkeyed(pool, 90, NOW + 5 + 2.5))  # half of 5 s
    assert counts["openai-a"] == pytest.approx(18, abs=2)
    counts = Counter(name for name, _ in unkeyed(pool, 90, NOW + 60))
    assert counts["openai-a"] == pytest.approx(30, abs=2)


def unkeyed(pool: Pool, calls: int, now: float = NOW) -> list[tuple[str, str]]:
    """The first choices of so many calls without a user."""
    choices = [pool.choose(None, now) for _ in range(calls)]
    return found([choice for choice in choices if choice])


def test_barred_home_is_not_gone_to() -> None:
    """What the client does not want is passed over, and the route says that it decided."""
    pool = three()
    choice = pool.choose(KEY, NOW, barred={ORDER[0]})
    assert choice is not None
    assert found([choice]) == [(ORDER[1], "pinned")]
    assert pool.choose(KEY, NOW, {ORDER[1], ORDER[2]}, {ORDER[0]}) is None
    kept = pool.choose(KEY, NOW, barred={ORDER[1]})
    assert kept is not None
    assert found([kept]) == [(ORDER[0], "home")]


def test_first_of_given_names() -> None:
    """The first that is well, has a place and had no try."""
    pool = three(max_in_flight=1)
    fail(pool, "openai-a")
    first = pool.first_of(NAMES, NOW, ())
    assert first is not None
    assert found([first]) == [("openai-b", "pinned")]
    second = pool.first_of(NAMES, NOW, {"openai-b"})
    assert second is not None
    assert found([second]) == [("openai-c", "failover")]
    assert pool.first_of(["openai-a"], NOW, ()) is None


@pytest.mark.parametrize("in_flight", [50, 500])
@pytest.mark.parametrize("names", ["provider-{}", "openai-{}", "p{}.example.com"])
def test_nearly_all_calls_stay_home(names: str, in_flight: int) -> None:
    """With the defaults, 5 providers and users by Zipf 1.1, at least 99 % of calls are at home."""
    assert at_home(in_flight, 6000, names) >= 0.99


@pytest.mark.heavy
def test_a_choice_takes_no_longer_among_many() -> None:
    """With 50 providers and two of them sick the median is no more than thrice that with two."""
    few, many = (pool_of(*(settings(f"p{n}") for n in range(count))) for count in (2, 50))
    fail(many, "p0", "p1")
    keys = [f"my-app\0user_{number}".encode() for number in range(20_000)]
    among_few, among_many = medians_of((few, many), keys)
    assert among_many <= 3 * among_few


def medians_of(pools: Sequence[Pool], keys: Sequence[bytes]) -> list[float]:
    """Nanoseconds of a choice in each, measured in turns: what else the machine does slows all."""
    times: list[list[int]] = [[] for _ in pools]
    for key in keys:
        for pool, own in zip(pools, times, strict=True):
            started = perf_counter_ns()
            pool.choose(key, NOW)
            own.append(perf_counter_ns() - started)
    return [median(own) for own in times]


def test_who_just_came_back_takes_turns_again() -> None:
    """Its first unkeyed call came when next to none of its users were back; that is not held
    against it once all are."""
    pool = three()
    fail(pool, "openai-a")
    health = member(pool, "openai-a").health
    chosen = [pool.choose(None, health.out_until + 0.001)]
    chosen += [pool.choose(None, health.recovered_at) for _ in range(30)]
    names = [choice.provider.name for choice in chosen if choice]
    assert names[0] == "openai-a"
    assert Counter(names[1:]) == dict.fromkeys(NAMES, 10)
