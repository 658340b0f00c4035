"""The first of many, found without reading all."""

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.topn import Place, best_unmet, top

Period = dict[tuple[str, str], int]

PERIODS: st.SearchStrategy[list[Period]] = st.lists(
    st.dictionaries(
        st.tuples(st.sampled_from("ab"), st.sampled_from("uvwxyz")), st.integers(0, 4), max_size=12
    ),
    max_size=4,
)


def in_order(period: Period) -> list[Place]:
    return sorted((-value, *who) for who, value in period.items())


def added(periods: Sequence[Period]) -> list[Place]:
    """Everyone by the sum of all periods."""
    everyone = {who for period in periods for who in period}
    return in_order({who: sum(period.get(who, 0) for period in periods) for who in everyone})


@given(periods=PERIODS, count=st.integers(0, 14))
def test_sum_of_periods(periods: list[Period], count: int) -> None:
    """The first by the sum, equals by tenant and user, whatever the periods and their gaps."""

    def measure(tenant: str, user: str) -> int:
        return sum(period.get((tenant, user), 0) for period in periods)

    orders = [iter(in_order(period)) for period in periods]
    assert top([orders], measure, count) == added(periods)[:count]


@given(groups=st.lists(PERIODS, max_size=3), count=st.integers(0, 14))
def test_groups_of_users(groups: list[list[Period]], count: int) -> None:
    """Groups with periods of their own give one order."""
    apart = [
        [{(f"{group}{tenant}", user): n for (tenant, user), n in each.items()} for each in periods]
        for group, periods in enumerate(groups)
    ]
    together = [period for periods in apart for period in periods]

    def measure(tenant: str, user: str) -> int:
        return sum(period.get((tenant, user), 0) for period in together)

    orders = [[iter(in_order(period)) for period in periods] for periods in apart]
    assert top(orders, measure, count) == added(together)[:count]


@given(periods=PERIODS, kept=st.lists(st.integers(0, 4), min_size=12, max_size=12))
def test_part_of_periods(periods: list[Period], kept: list[int]) -> None:
    """What is measured may be less than the periods promise, or nothing at all."""
    everyone = sorted({who for period in periods for who in period})
    share = dict(zip(everyone, kept, strict=False))
    full = {who: sum(period.get(who, 0) for period in periods) for who in everyone}
    exact = {who: min(share[who], full[who]) for who in everyone if share[who] != 4}
    orders = [iter(in_order(period)) for period in periods]
    found = top([orders], lambda tenant, user: exact.get((tenant, user)), 3)
    assert found == in_order(exact)[:3]


def test_reads_no_further_than_it_must() -> None:
    """With steep values the top of each period is enough; the rest is not even read."""
    read: list[Place] = []

    def walk(period: Period) -> Iterator[Place]:
        for place in in_order(period):
            read.append(place)
            yield place

    steep = {("a", f"user_{number:03}"): 10**9 // (number + 1) ** 2 for number in range(1000)}
    found = top([[walk(steep), walk(steep)]], lambda *who: 2 * steep[who], 3)
    assert [user for _, _, user in found] == ["user_000", "user_001", "user_002"]
    assert len(read) < 12


def test_what_a_group_promises_is_its_own() -> None:
    """Equals of one group keep nobody from seeing that another group's are behind them."""
    read: list[Place] = []

    def walk(tenant: str, value: int) -> Iterator[Place]:
        for number in range(1000):
            read.append((-value, tenant, f"user_{number:03}"))
            yield read[-1]

    groups = [[walk("a", 4), walk("a", 4)], [walk("b", 4), walk("b", 3)]]
    values = {"a": 8, "b": 7}
    assert len(top(groups, lambda tenant, _: values[tenant], 5)) == 5
    assert len(read) < 20


@pytest.mark.parametrize(
    ("heads", "best"),
    [
        ([(-5, "a", "u")], (-5, "a", "u")),
        ([(-5, "a", "u"), (-3, "a", "v")], (-8, "a", "v")),
        ([(-5, "a", "u"), (0, "b", "x")], (-5, "a", "u")),
        ([(0, "a", "u"), (0, "b", "x")], (0, "a", "u")),
    ],
)
def test_best_unmet(heads: list[Place], best: Place) -> None:
    """All heads together, and by name not before those heads that must be among them."""
    assert best_unmet(heads) == best
