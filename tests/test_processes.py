"""`hearth serve` as processes: workers share a port, and one is lost or exchanged unnoticed."""

import os
import signal
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from tests.parts.calls import CHAT, COMPLETION, Requests, at, whole
from tests.parts.metrics import metric
from tests.parts.raw_provider import RawProvider, serving
from tests.parts.served import (
    Served,
    ask,
    asking,
    asking_through_loss,
    configure,
    ids_in_store,
    is_worker,
    provider_of,
    served,
)
from tests.parts.waiting import eventually, until


@pytest.fixture
async def provider() -> AsyncIterator[RawProvider]:
    """One that answers every call at once."""
    async with serving(Requests(whole(COMPLETION))) as running:
        yield running


async def test_workers_share_the_port(tmp_path: Path, provider: RawProvider) -> None:
    """Connections go to all workers, and every call is counted once."""
    connector = aiohttp.TCPConnector(force_close=True)
    async with (
        served(tmp_path, [at(provider)], server={"workers": 3}) as gateway,
        aiohttp.ClientSession(connector=connector) as http,
    ):
        assert len(gateway.workers()) == 3
        answers = [await ask(http, gateway) for _ in range(60)]
        assert {status for status, _ in answers} == {200}
        # The run of its process is the same in all ids that a worker made.
        assert len({name[15:27] for _, name in answers}) == 3
    assert await ids_in_store(tmp_path) == {name for _, name in answers}


async def test_a_worker_that_is_killed(tmp_path: Path, provider: RawProvider) -> None:
    """No call whose answer was received is lost, another worker comes, and the rest goes on."""
    async with (
        served(tmp_path, [at(provider)], server={"workers": 2}) as gateway,
        asking_through_loss(gateway) as found,
    ):
        await until(lambda: len(found) > 200)
        first, second = gateway.workers()
        os.kill(first, signal.SIGKILL)
        await until(lambda: len(set(gateway.workers()) - {first, second}) == 1)
        before = len(found)
        await until(lambda: len(found) > before + 200)
    assert {name for _, name in found} <= await ids_in_store(tmp_path)


@pytest.mark.heavy
@pytest.mark.parametrize("share", [True, False])
@pytest.mark.parametrize("how", ["signal", "file"])
async def test_a_new_configuration(
    how: str, share: bool, tmp_path: Path, provider: RawProvider
) -> None:
    """It is in force after SIGHUP or when its file changes, and no call under load fails."""
    async with (
        served(tmp_path, [at(provider)], server={"workers": 2}) as gateway,
        asking(gateway, share=share) as found,
        aiohttp.ClientSession() as http,
    ):
        before = set(gateway.workers())
        configure(
            gateway.file,
            [at(provider, models=["m", "extra"])],
            server={"workers": 1},
        )
        if how == "signal":
            os.kill(gateway.pid, signal.SIGHUP)

        async def has_extra() -> bool:
            async with http.get(f"{gateway.url}/v1/models") as answer:
                return "extra" in await answer.text()

        await eventually(has_extra)
        await until(lambda: not before & set(gateway.workers()))
        more = len(found) + 50
        await until(lambda: len(found) > more)
        assert {status for status, _ in found} == {200}


async def test_a_key_is_exchanged(tmp_path: Path, provider: RawProvider) -> None:
    """With both secrets in the configuration for a while, no program is refused in between."""

    def with_secrets(*secrets: str) -> list[dict[str, object]]:
        return [{"name": "app", "key": list(secrets)}]

    async with (
        served(tmp_path, [at(provider)], keys=with_secrets("sk-old")) as gateway,
        aiohttp.ClientSession(headers={"Authorization": "Bearer sk-old"}) as old,
        aiohttp.ClientSession(headers={"Authorization": "Bearer sk-new"}) as new,
    ):

        async def statuses() -> tuple[int, int]:
            return (await ask(old, gateway))[0], (await ask(new, gateway))[0]

        async def are(expected: tuple[int, int]) -> bool:
            return await statuses() == expected

        assert await statuses() == (200, 401)
        for secrets, expected in ((("sk-new", "sk-old"), (200, 200)), (("sk-new",), (401, 200))):
            configure(gateway.file, [at(provider)], keys=with_secrets(*secrets))
            os.kill(gateway.pid, signal.SIGHUP)
            await eventually(partial(are, expected))


async def test_a_bad_configuration_is_refused(tmp_path: Path, provider: RawProvider) -> None:
    """The old one stays, with the same workers, and /metrics says so until the file is mended;
    again and again, whatever is wrong."""
    async with served(tmp_path, [at(provider)]) as gateway:
        good = gateway.file.read_text()
        for wrong in ("providers: []\n", "server: {port: 1}\n", f"{good}\nnonsense"):
            workers = gateway.workers()
            gateway.file.write_text(wrong)
            os.kill(gateway.pid, signal.SIGHUP)
            await eventually(lambda: _has_reloaded(gateway, well=0))
            # On a connection of its own: one that is kept holds its worker up for seconds.
            assert await provider_of(gateway, CHAT) == "a"
            assert gateway.workers() == workers
            gateway.file.write_text(good)
            await eventually(lambda: _has_reloaded(gateway, well=1))
            await gateway.until_workers(1, without=workers)


async def _has_reloaded(gateway: Served, well: int) -> bool:
    return await metric(gateway.url, "hearth_config_last_reload_successful") == well


async def test_workers_leave_when_the_supervisor_is_gone(
    tmp_path: Path, provider: RawProvider
) -> None:
    """Nobody would ship for them, nor tell them to stop."""
    async with served(tmp_path, [at(provider)], server={"workers": 2}) as gateway:
        workers = gateway.workers()
        os.kill(gateway.pid, signal.SIGKILL)
        await gateway.running.process.wait()
        assert len(workers) == 2
        await until(lambda: not any(map(is_worker, workers)))
