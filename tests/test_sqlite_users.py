"""Both ways to the first users of a range: all rows added up, and months read from the top."""

from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from gateway.ledger.queries import UserQuery
from gateway.ledger.sqlite import applying, expiry, schema, users
from tests.parts import counting
from tests.parts.crowds import ORDERS, RANGES, crowd
from tests.parts.generations import records

CROWD = crowd(900, users=200)


@pytest.mark.parametrize("span", RANGES)
def test_both_ways_agree(tmp_path: Path, span: str) -> None:
    """Whatever the range, order and keys, both give the first ones and their values."""
    since, until = RANGES[span]
    schema.prepare(tmp_path / "hearth.db")
    with closing(schema.connect(tmp_path / "hearth.db")) as db:
        applying.apply(db, records(*CROWD))
        for tenants in (None, frozenset({"app"})):
            meant = [each for each in CROWD if since <= each.day <= until]
            meant = [each for each in meant if tenants is None or each.tenant in tenants]
            for order in ORDERS:
                fields = {"since": since, "until": until, "order": order, "limit": 25}
                query = msgspec.convert(fields, UserQuery)
                query = msgspec.structs.replace(query, tenants=tenants)
                expected = counting.users(meant, order)[:25]
                for way in (users.added_up, users.looked_up):
                    found = [(tenant, user or None) for _, tenant, user in way(db, query)]
                    assert found == [(row.tenant, row.user) for row in expected]


@pytest.mark.parametrize("most", [0, 50], ids=["begun", "done"])
def test_forgotten_days(tmp_path: Path, most: int) -> None:
    """Days past their retention count for nobody from the moment they begin to be forgotten."""
    first = sorted({each.day for each in CROWD})[40]
    schema.prepare(tmp_path / "hearth.db")
    with closing(schema.connect(tmp_path / "hearth.db")) as db:
        applying.apply(db, records(*CROWD))
        expiry.begin(db, 0, first)
        for old in expiry.old_rows(0, first):
            while expiry.expire_some(db, old, most):
                continue
        left = counting.users(each for each in CROWD if each.day >= first)
        query = UserQuery(since=0, until=99_999, limit=999)
        assert users.users(db, query) == left
        expected = [(-row.counts.cost, row.tenant, row.user or "") for row in left]
        assert users.looked_up(db, query) == expected
