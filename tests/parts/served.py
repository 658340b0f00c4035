"""`hearth serve` as a process of its own, and clients that keep asking it."""

import asyncio
import signal
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import yaml

from gateway.ledger.queries import GenerationQuery
from gateway.ledger.shipper import Shipper
from gateway.ledger.sqlite import SqliteStore
from tests.parts.commands import Running, running_hearth
from tests.parts.homes import POINTS
from tests.parts.raw_client import ask_once, post
from tests.parts.recorded import read_json
from tests.parts.waiting import until

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
        """Their process ids, the oldest first."""
        return workers_of(self.pid)

    async def until_workers(self, number: int, without: Collection[int] = ()) -> None:
        """Wait until it has so many, and none of those in `without`."""

        def are_there() -> bool:
            now = self.workers()
            return len(now) == number and not set(without) & set(now)

        await until(are_there)


def workers_of(pid: int) -> list[int]:
    """The workers that a process started, the oldest first; a child only forked is none yet."""
    children = _told_of(pid, f"task/{pid}/children").split()
    return sorted(child for child in map(int, children) if is_worker(child))


def is_worker(pid: int) -> bool:
    """Whether it is one, and has not ended, be it that nobody has asked yet how."""
    return b"gateway.processes" in _told_of(pid, "cmdline")


def _told_of(pid: int, name: str) -> bytes:
    """What proc(5) tells of a process; nothing of one that ended, before it was read or while."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/{name}").read_bytes()
    return b""


def configure(file: Path, providers: Sequence[Mapping[str, Any]], **sections: Any) -> None:
    """Write the file that `served` reads, as one change."""
    folder = file.parent
    ledger = {"url": f"sqlite:{folder}/hearth.db", "journal": f"{folder}/journal"}
    server = {"port": 0, "drain": "5s", **sections.pop("server", {})}
    own = {"server": server, "ledger": ledger, "sticky": {"points": POINTS}}
    tree = {**own, "providers": list(providers), **sections}
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


async def ids_in_store(folder: Path) -> set[str]:
    """Those of all calls on record, be it in a journal, where the end leaves what takes long."""
    store = await SqliteStore.open(folder / "hearth.db")
    try:
        await Shipper(folder / "journal", store).flush()
        return {one.id for one in await store.generations(GenerationQuery(limit=100_000))}
    finally:
        await store.close()


async def provider_of(gateway: Served, body: bytes) -> str:
    """Who answered a chat call on a connection of its own, which any worker may have taken."""
    answer = await ask_once(gateway.url, post(body))
    assert answer.status == 200
    return answer.text("X-Hearth-Provider")


def url_of_route(gateway: Served, user: bytes) -> str:
    """Where the API tells where a user goes."""
    return f"{gateway.url}/api/v1/route?user={user.decode()}"


async def is_at(gateway: Served, user: bytes, provider: str) -> bool:
    """Whether twenty connections, which reach all workers but for bad luck, agree that a user goes
    there."""
    routes = [await read_json(url_of_route(gateway, user)) for _ in range(20)]
    return {route["data"]["provider"] for route in routes} == {provider}


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


@asynccontextmanager
async def asking_through_loss(gateway: Served) -> AsyncIterator[list[tuple[int, str]]]:
    """As `asking`, by clients that take their time, and that a broken connection does not stop;
    whole answers only."""
    found: list[tuple[int, str]] = []

    async def keep_asking(http: aiohttp.ClientSession) -> None:
        while True:
            with suppress(aiohttp.ClientError, OSError):
                found.append(await ask(http, gateway))
            await asyncio.sleep(0.005)

    async with aiohttp.ClientSession() as http:
        tasks = [asyncio.create_task(keep_asking(http)) for _ in range(4)]
        yield found
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
