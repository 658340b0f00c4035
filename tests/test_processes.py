"""`hearth serve` as processes: workers share a port, and one is lost or exchanged unnoticed."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
import yaml

from gateway.ledger.queries import GenerationQuery
from gateway.ledger.sqlite import SqliteStore
from tests.calls import COMPLETION, Requests, at, whole
from tests.commands import Running, running_hearth
from tests.raw_provider import RawProvider, serving

CHAT = {"model": "m", "user": "user_1", "messages": [{"role": "user", "content": "hi"}]}


class Served(msgspec.Struct, frozen=True):
    """A running `hearth serve`, and the file it was told to read."""

    running: Running
    url: str
    file: Path

    @property
    def pid(self) -> int:
        return self.running.process.pid

    def workers(self) -> list[int]:
        """Process ids of its children, the oldest first."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return sorted(map(int, children.split()))


def configure(file: Path, providers: Sequence[Mapping[str, Any]], **sections: Any) -> None:
    """Write the file that `served` reads, as one change."""
    folder = file.parent
    ledger = {"url": f"sqlite:{folder}/hearth.db", "journal": f"{folder}/journal"}
    server = {"port": 0, "drain": "5s", **sections.pop("server", {})}
    tree = {"server": server, "ledger": ledger, "providers": list(providers), **sections}
    draft = file.with_suffix(".new")
    draft.write_text(yaml.safe_dump(tree))
    draft.replace(file)


@asynccontextmanager
async def served(
    folder: Path, providers: Sequence[Mapping[str, Any]], **sections: Any
) -> AsyncIterator[Served]:
    """`hearth serve` for as long as the context is open."""
    file = folder / "config.yaml"
    configure(file, providers, **sections)
    async with running_hearth("serve", "-c", file) as running:
        written = await running.says("listens on")
        yield Served(running, written.split()[-1], file)
        if running.process.returncode is None:
            await running.end(signal.SIGTERM)


async def ask(http: aiohttp.ClientSession, gateway: Served) -> tuple[int, str]:
    """Status and generation id of a chat call."""
    async with http.post(f"{gateway.url}/v1/chat/completions", json=CHAT) as answer:
        await answer.read()
        return answer.status, answer.headers.get("X-Generation-Id", "")


async def eventually(holds: Callable[[], Awaitable[bool]], within: float = 15.0) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(within):
        while not await holds():
            await asyncio.sleep(0.02)


async def recorded(folder: Path) -> set[str]:
    """The ids in the store."""
    store = await SqliteStore.open(folder / "hearth.db")
    try:
        return {one.id for one in await store.generations(GenerationQuery(limit=100_000))}
    finally:
        await store.close()


@asynccontextmanager
async def asking(gateway: Served, share: bool = True) -> AsyncIterator[list[tuple[int, str]]]:
    """Call after call on four connections, or each on a connection of its own; what came back."""
    found: list[tuple[int, str]] = []

    async def keep_asking(http: aiohttp.ClientSession) -> None:
        while True:
            found.append(await ask(http, gateway))

    connector = aiohttp.TCPConnector(force_close=not share)
    async with aiohttp.ClientSession(connector=connector) as http:
        tasks = [asyncio.create_task(keep_asking(http)) for _ in range(4)]
        yield found
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        ended = [task.exception() for task in tasks if not task.cancelled()]
    assert ended == []


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
    assert await recorded(tmp_path) == {name for _, name in answers}


async def test_a_worker_that_is_killed(tmp_path: Path, provider: RawProvider) -> None:
    """No call whose answer was received is lost, another worker comes, and the rest goes on."""
    async with (
        served(tmp_path, [at(provider)], server={"workers": 2}) as gateway,
        asking_through_loss(gateway) as found,
    ):
        await eventually(lambda: _truth(len(found) > 200))
        first, second = gateway.workers()
        os.kill(first, signal.SIGKILL)
        await eventually(lambda: _truth(len(set(gateway.workers()) - {first, second}) == 1))
        before = len(found)
        await eventually(lambda: _truth(len(found) > before + 200))
    assert {name for _, name in found} <= await recorded(tmp_path)


async def _truth(value: bool) -> bool:
    return value


@asynccontextmanager
async def asking_through_loss(gateway: Served) -> AsyncIterator[list[tuple[int, str]]]:
    """As `asking`, by clients that a broken connection does not stop; whole answers only."""
    found: list[tuple[int, str]] = []

    async def keep_asking(http: aiohttp.ClientSession) -> None:
        while True:
            try:
                found.append(await ask(http, gateway))
            except (aiohttp.ClientError, OSError):
                await asyncio.sleep(0.01)

    async with aiohttp.ClientSession() as http:
        tasks = [asyncio.create_task(keep_asking(http)) for _ in range(4)]
        yield found
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


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
        await eventually(lambda: _truth(not before & set(gateway.workers())))
        more = len(found) + 50
        await eventually(lambda: _truth(len(found) > more))
        assert {status for status, _ in found} == {200}


@pytest.mark.parametrize("wrong", ["providers: []\n", "server: {port: 1}\n", "nonsense"])
async def test_a_bad_configuration_is_refused(
    wrong: str, tmp_path: Path, provider: RawProvider, http: aiohttp.ClientSession
) -> None:
    """The old one stays, with the same workers."""
    async with served(tmp_path, [at(provider)]) as gateway:
        workers = gateway.workers()
        good = gateway.file.read_text()
        gateway.file.write_text(f"{good}\n{wrong}" if wrong == "nonsense" else wrong)
        os.kill(gateway.pid, signal.SIGHUP)
        for _ in range(20):
            assert (await ask(http, gateway))[0] == 200
            await asyncio.sleep(0.05)
        assert gateway.workers() == workers


async def test_workers_leave_when_the_supervisor_is_gone(
    tmp_path: Path, provider: RawProvider
) -> None:
    """Nobody would ship for them, nor tell them to stop."""
    async with served(tmp_path, [at(provider)], server={"workers": 2}) as gateway:
        workers = gateway.workers()
        os.kill(gateway.pid, signal.SIGKILL)
        await gateway.running.process.wait()
        await eventually(lambda: _truth(not any(Path(f"/proc/{pid}").exists() for pid in workers)))
