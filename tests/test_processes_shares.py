"""Several workers together do what the configuration says."""

from pathlib import Path

import pytest

from gateway.processes.shares import share_of
from tests.parts.gateways import build_config


@pytest.mark.parametrize(
    ("limit", "workers", "shares"),
    [(512, 1, [512]), (512, 4, [128] * 4), (10, 4, [3, 3, 2, 2]), (2, 3, [1, 1, 1])],
)
def test_places_are_shared(limit: int, workers: int, shares: list[int], tmp_path: Path) -> None:
    """A provider's `max_in_flight` is the workers' sum, but each may have one call at least."""
    providers = [{"name": "a", "base_url": "http://127.0.0.1:1", "max_in_flight": limit}]
    config = build_config(tmp_path, providers, server={"workers": workers})
    found = [share_of(config, slot).providers[0].max_in_flight for slot in range(workers)]
    assert found == shares
