"""A gateway's parts, put together and taken apart."""

import time
from pathlib import Path

import pytest

from gateway.assembly import standalone
from gateway.ledger.segment import segments
from gateway.server import running
from tests.parts.gateways import build_config


async def test_a_start_that_fails_leaves_nothing_open(tmp_path: Path) -> None:
    """What was opened until then is closed: the journal as well, which is then shipped and gone."""
    config = build_config(tmp_path, [{"name": "a", "base_url": "http://127.0.0.1:1"}])
    journal = Path(config.ledger.journal)
    (journal / "session.secret").mkdir(parents=True)
    with pytest.raises(IsADirectoryError):
        async with running(config):
            pass
    assert segments(journal) == []


async def test_a_gateway_whose_place_others_have(tmp_path: Path) -> None:
    """One that takes no more calls says that nobody is out, as its providers may have been mended
    since, and that they have places for its own calls alone. Nor is it one of those that share
    the calls."""
    config = build_config(tmp_path, [{"name": "a", "base_url": "http://127.0.0.1:1"}])
    async with standalone(config) as gateway:
        provider = gateway.router.providers["a"]
        provider.health.pause(60, time.monotonic())
        with provider.lease("home"):
            for draining, places in ((False, 512), (True, 1)):
                gateway.draining = draining
                snapshot = gateway.snapshot()
                [state] = snapshot.providers
                assert (state.in_flight, state.max_in_flight) == (1, places)
                assert (state.is_out, snapshot.processes) == (not draining, int(not draining))
