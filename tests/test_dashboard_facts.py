"""The counts of the activity page: however they are cut, they come to the same."""

import msgspec
import pytest

from gateway.dashboard.activity.facts import OTHERS, Fact, by_day, read_facts, read_hours
from gateway.dashboard.activity.lines import fallen, lines_of, risen
from gateway.dashboard.activity.span import Group, Span
from gateway.ledger.counts import Counts, total
from gateway.ledger.store import Store
from tests.parts import counting
from tests.parts.generations import DAY, generation

KEYS = ("app", "other")
SPAN = Span(
    since=DAY + 5,
    until=DAY + 9,
    group="model",
    metric="cost",
    per="day",
    tenants=None,
    user=None,
    model=None,
    provider=None,
)
CROWD = [
    generation(
        number,
        day=DAY + number % 10,
        user=f"user_{number % 40}" if number % 7 else None,
        tenant=KEYS[number % 3 == 0],
        model=("small", "large", None)[number % 3],
        provider="ab"[number % 2],
        cost=number,
    )
    for number in range(400)
]


@pytest.mark.parametrize("group", ["model", "provider", "route", "key", "user"])
@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"model": "large"},
        {"provider": "b"},
        {"user": "user_4"},
        {"tenants": frozenset({"app"})},
    ],
    ids=["all", "model", "provider", "user", "key"],
)
async def test_groups_come_to_the_whole(
    crowded: Store, group: Group, filters: dict[str, object]
) -> None:
    """Any group under any filter sums up to the calls that match, day by day."""
    span = msgspec.structs.replace(SPAN, group=group, **filters)
    facts = await read_facts(crowded, span, KEYS)
    meant = [
        call
        for call in CROWD
        if span.model in (None, call.model)
        and span.provider in (None, call.provider)
        and span.user in (None, call.user)
        and (span.tenants is None or call.tenant in span.tenants)
    ]
    found = {day: total(f.counts for f in facts if f.day == day) for day in {f.day for f in facts}}
    assert found == counting.by_day(meant)


@pytest.mark.parametrize("group", ["model", "provider", "key"])
async def test_hours_come_to_the_days(crowded: Store, group: Group) -> None:
    """The facts of hours sum up to those of their days, under the filters that hours have."""
    span = msgspec.structs.replace(SPAN, group=group, per="hour", model="large")
    days = [fact for fact in await read_facts(crowded, span, KEYS) if fact.day >= span.since]
    hours = await read_hours(crowded, span)
    assert {fact.hour is not None and fact.hour // 24 == fact.day for fact in hours} == {True}
    assert by_day(hours) == by_day(days)
    assert {fact.group for fact in hours} == {fact.group for fact in days}


async def test_only_leaders_are_named(crowded: Store) -> None:
    """Twenty users are told apart; all others, and calls without a user, are one group."""
    facts = await read_facts(crowded, msgspec.structs.replace(SPAN, group="user"), KEYS)
    named = {fact.group for fact in facts if fact.is_named}
    assert len(named) == 20
    assert {fact.group for fact in facts if not fact.is_named} == {OTHERS}


async def test_key_that_is_not_known(crowded: Store) -> None:
    """Calls of a key that was taken out of the configuration are not lost."""
    facts = await read_facts(crowded, msgspec.structs.replace(SPAN, group="key"), ("app",))
    assert {fact.group for fact in facts} == {"app", "Other keys"}


def fact(day: int, group: str, cost: int) -> Fact:
    return Fact(DAY + day, group, Counts(requests=1, cost=cost))


def test_lines_and_movers() -> None:
    """Largest first, everyone else last; movers by how much they changed, either way."""
    facts = [
        *(fact(1, "a", 10), fact(6, "a", 5), fact(6, "b", 90), fact(7, "b", 1)),
        *(fact(0, "c", 50), Fact(DAY + 6, OTHERS, Counts(cost=1000), is_named=False)),
    ]
    lines = lines_of(facts, SPAN)
    assert [line.name for line in lines] == ["b", "a", "c", OTHERS]
    assert [line.growth("cost") for line in lines] == [91, -5, -50, 1000]
    assert [line.name for line in risen(lines, "cost")] == ["b"]
    assert [line.name for line in fallen(lines, "cost")] == ["c", "a"]
