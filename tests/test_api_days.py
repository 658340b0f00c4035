"""Daily rows of all users, read up to a limit."""

from pathlib import Path

import pytest

from gateway.api.days import read_days
from gateway.errors import BadRequest
from gateway.ledger.queries import ActivityQuery
from tests.parts.asking import recording
from tests.parts.generations import DAY, generation


async def test_all_and_no_more(tmp_path: Path) -> None:
    """One user's day more than allowed is a 400; one user and sums of all are always answered."""
    calls = [generation(day=DAY - n % 2, number=n, user=f"user_{n}") for n in range(6)]
    everyone = ActivityQuery(since=DAY - 1, until=DAY, by=frozenset({"tenant", "user"}))
    one = ActivityQuery(since=DAY - 1, until=DAY, users=frozenset({"user_1"}), by=everyone.by)
    async with recording(tmp_path, calls) as context:
        store = await context.ledger.fresh()
        assert len(await read_days(store, everyone, most=6)) == 6
        with pytest.raises(BadRequest, match="more than 5 users' days"):
            await read_days(store, everyone, most=5)
        assert len(await read_days(store, one, most=0)) == 1
        assert len(await read_days(store, ActivityQuery(since=DAY, until=DAY), most=0)) == 1
