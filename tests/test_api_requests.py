"""Single requests, read page by page and not without end."""

from pathlib import Path

import pytest

from gateway.api.requests import read_requests
from gateway.errors import BadRequest
from gateway.ledger.queries import GenerationQuery
from tests.parts.asking import recording
from tests.parts.generations import generation


async def test_all_and_no_more(tmp_path: Path) -> None:
    """Every request comes once, over pages; one more than allowed is a 400 and not a part."""
    calls = [generation(number) for number in range(1500)]
    async with recording(tmp_path, calls) as context:
        store = await context.ledger.fresh()
        found = [page async for page in read_requests(store, GenerationQuery(), most=1500)]
        with pytest.raises(BadRequest, match="more than 1499 single requests"):
            [page async for page in read_requests(store, GenerationQuery(), most=1499)]
    assert [len(page) for page in found] == [500, 500, 500]
    assert {one.id for page in found for one in page} == {one.id for one in calls}
