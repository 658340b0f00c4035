"""A mock provider starts, remembers, repeats itself, and goes away without a trace."""

import aiohttp
import msgspec
import pytest

from bench.ports import free_port
from gateway.mock.faults import parse_faults
from gateway.mock.running import running_provider
from gateway.mock.settings import MockSettings


async def test_a_provider_leaves_its_port(http: aiohttp.ClientSession) -> None:
    """After the end nothing answers there, and another provider can take its place."""
    port = free_port()
    async with running_provider(MockSettings(), port=port) as provider:
        pass
    with pytest.raises(aiohttp.ClientConnectorError):
        await http.get(f"{provider.url}/models")
    async with (
        running_provider(MockSettings(models=("second",)), port=port) as successor,
        http.get(f"{successor.url}/models") as response,
    ):
        assert msgspec.json.decode(await response.read())["data"][0]["id"] == "second"


async def test_requests_are_remembered(http: aiohttp.ClientSession) -> None:
    """The latest ones, as they came: method, target, headers and body."""
    async with running_provider(MockSettings(remember=2, name="north")) as provider:
        for number in range(3):
            async with http.post(
                f"{provider.url}/completions?n={number}",
                data=b'{"model": "m",  "prompt": ""}',
                headers={"X-Title": "Hearth"},
            ) as response:
                assert response.headers["X-Mock-Provider"] == "north"
        assert [seen.path for seen in provider.seen] == [
            "/v1/completions?n=1",
            "/v1/completions?n=2",
        ]
    latest = provider.seen[-1]
    assert latest.method == "POST"
    assert latest.headers["x-title"] == "Hearth"
    assert latest.body == b'{"model": "m",  "prompt": ""}'


async def test_seeded_faults_repeat(http: aiohttp.ClientSession) -> None:
    """Two providers with one seed fail the same requests."""
    settings = MockSettings(fail=parse_faults("503:0.5"), seed=5)
    runs = []
    for _ in range(2):
        async with running_provider(settings) as provider:
            runs.append([(await http.get(f"{provider.url}/models")).status for _ in range(20)])
    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 503}
