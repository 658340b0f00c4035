"""The demo runs, says what is true, can be looked at, and leaves nothing behind."""

import asyncio
import io
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from rich.console import Console

from gateway.demo.run import compare, run_demo
from gateway.demo.score import Score, read_score
from gateway.demo.worlds import SPREAD, STICKY, running_world
from tests.parts.commands import is_empty, running_hearth
from tests.parts.recorded import read_fresh

TURNS = 30
REFUSED = 1
"""Calls without a user among so many turns."""


class Paper(io.StringIO):
    """Keeps what is printed and tells when the sample users are done."""

    def __init__(self) -> None:
        super().__init__()
        self.finished = asyncio.Event()

    def write(self, text: str) -> int:
        if "keeps running" in text:
            self.finished.set()
        return super().write(text)


@asynccontextmanager
async def finished_demo() -> AsyncIterator[str]:
    """All that a short demo prints; it still listens."""
    paper = Paper()
    demo = asyncio.create_task(run_demo(0, TURNS, Console(file=paper, width=80, markup=False)))
    waiting = asyncio.create_task(paper.finished.wait())
    try:
        await asyncio.wait((demo, waiting), return_when=asyncio.FIRST_COMPLETED)
        assert paper.finished.is_set(), demo.result()
        yield paper.getvalue()
    finally:
        demo.cancel()
        waiting.cancel()
        await asyncio.wait((demo, waiting))


def origin_in(text: str) -> str:
    found = re.search(r"Hearth listens on (http://[\d.:]+)", text)
    assert found is not None
    return found[1]


def row_in(text: str, world: str) -> list[str]:
    """The last row of the table that the world has."""
    rows = [line.strip("│ ").split("│") for line in text.splitlines() if f"│ {world} " in line]
    return [cell.strip() for cell in rows[-1]]


async def test_what_it_prints_is_true(http: aiohttp.ClientSession) -> None:
    """Every line fits, every address answers, the numbers are the sums over all generations, and
    the ten lines of Python work as they stand."""
    async with finished_demo() as text:
        assert max(map(len, text.splitlines())) <= 80
        origin = origin_in(text)
        addresses = re.findall(r"http://\S+/(?:generations|activity)\S*", text)
        assert len(addresses) == 3
        for address in addresses:
            assert (await read_fresh(http, address))["data"]
        generations = (await read_fresh(http, f"{origin}/api/v1/generations?limit=1000"))["data"]
        assert row_in(text, "sticky") == ["sticky", *expected_row(generations)]
        snippet = text[text.index("from openai") : text.index("The same")]
        assert await run_python(snippet) != ""
        newest = (await read_fresh(http, f"{origin}/api/v1/generations?limit=1"))["data"][0]
        assert newest["external_user"] == "user_anna"
        assert newest["hearth"]["outcome"] == "ok"


def expected_row(generations: list[dict[str, Any]]) -> list[str]:
    """Requests, prompt tokens, the cached share and the cost, as the table writes them."""
    assert len(generations) == TURNS + REFUSED
    sums = {
        name: sum(each[name] for each in generations)
        for name in ("tokens_prompt", "native_tokens_cached", "total_cost")
    }
    share = sums["native_tokens_cached"] / sums["tokens_prompt"]
    cost = f"${sums['total_cost']:.4f}"
    return [f"{len(generations):,}", f"{sums['tokens_prompt']:,}", f"{share:.1%}", cost]


async def run_python(program: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err
    return out.decode().strip()


class Scores:
    """A screen that keeps the scores."""

    def __init__(self) -> None:
        self.latest: Mapping[str, Score] = {}

    def show(self, scores: Mapping[str, Score]) -> None:
        self.latest = scores


async def test_failed_turns_do_not_end_it(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    """Providers that answer half of all calls with an error: every turn is sent and counted."""
    async with AsyncExitStack() as stack:
        sticky = await stack.enter_async_context(running_world("sticky", tmp_path, 0, STICKY))
        spread = await stack.enter_async_context(running_world("spread", tmp_path, 0, SPREAD))
        for provider in (*sticky.providers, *spread.providers):
            provider.fail("500:0.5")
        screen = Scores()
        await compare((sticky, spread), http, TURNS, screen)
        final = {world.name: await read_score(http, world.origin) for world in (sticky, spread)}
    assert screen.latest == final
    assert [score.requests for score in final.values()] == [TURNS + REFUSED] * 2


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
async def test_it_leaves_nothing_behind(stop: signal.Signals, tmp_path: Path) -> None:
    """A signal in the middle of the traffic ends it as a success, its folder is deleted and its
    port is free."""
    async with running_hearth("demo", "--port", "0", TMPDIR=str(tmp_path)) as demo:
        written = await demo.says("routing")
        assert not is_empty(tmp_path)
        assert await demo.end(stop) == 0
        _, err = await demo.process.communicate()
    assert err == b""
    assert is_empty(tmp_path)
    host, port = origin_in(written).removeprefix("http://").split(":")
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(host, int(port))
