"""What generations add up to by hour, day and user."""

from typing import Any

from gateway.calendar import DAY, HOUR
from gateway.generation import Generation
from gateway.ledger.increments import increments_of, sum_of
from gateway.ledger.tally import Tally, grouped, rows_of, tallied
from tests.parts.generations import generation, records

DAYS = 20_000 * DAY


def at(moment: int, user: str | None = "anna", **fields: Any) -> Generation:
    """A generation created so many microseconds into the day 20,000."""
    return generation(moment, created_at=DAYS + moment, tenant="app", user=user, **fields)


def tally_of(*generations: Generation) -> Tally:
    """The tally of some."""
    return tallied(grouped(records(*generations)))


def test_a_group_shares_its_rows() -> None:
    """Generations that differ in hour, model, provider or route are apart, others together."""
    some = [at(0), at(1), at(HOUR), at(2, model="b"), at(3, provider="b"), at(4, route="spill")]
    assert [len(group) for group in grouped(records(*some)).values()] == [2, 1, 1, 1, 1]


def test_hours_and_days_sum_over_users() -> None:
    """Hours leave routes out, days keep them apart."""
    one, spilled = at(0, route="home"), at(1, user="ben", route="spill")
    tally = tally_of(one, spilled)
    [rows] = tally.hours.values()
    [several] = rows.values()
    assert sum_of(several) == sum_of([increments_of(one), increments_of(spilled)])
    [(day, rows)] = tally.totals.items()
    assert day == (20_000, "app")
    assert [row[2] for row in rows] == ["home", "spill"]


def test_days_of_users() -> None:
    """A user's day has its generations, wherever they stand among the others; calls without a user
    are those of the user with no name."""
    tally = tally_of(at(5), at(3, provider="b"), at(9), at(4, user=None), at(DAY))
    today, tomorrow = tally.days[20_000, "app"], tally.days[20_001, "app"]
    assert sorted(one.created_at - DAYS for one in tally.of(today["anna"])) == [3, 5, 9]
    assert [one.created_at - DAYS for one in tally.of(today[""])] == [4]
    assert list(tomorrow) == ["anna"]


def test_rows_of_users() -> None:
    """What a user's generations add to a day is kept apart by model, provider and route."""
    tally = tally_of(at(5), at(3, provider="b"), at(9))
    [indexes] = tally.days[20_000, "app"].values()
    assert [sum_of(several)[0] for several in rows_of(tally.of(indexes)).values()] == [2, 1]
