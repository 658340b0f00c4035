"""The demo: sample users talk through two gateways, one sticky, one not, and the counts are shown.

Every turn goes to both worlds with the same messages. The numbers on the screen are those of the
gateways' own `/activity`.
"""

import asyncio
import logging
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from rich.console import Console

from gateway.demo.score import read_score
from gateway.demo.screen import Screen, open_screen, welcome
from gateway.demo.traffic import Traffic, Turn
from gateway.demo.worlds import MODEL, SPREAD, STICKY, World, running_world

TURNS = 600
_AT_A_TIME = 4
_PAUSE = 0.1
_NAMELESS_EVERY = 25
_REFRESH = 1.0

_log = logging.getLogger(__name__)


async def run_demo(port: int, turns: int, console: Console) -> None:
    """Send `turns` turns, then go on listening until cancelled; the sticky gateway has `port`."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hearth-demo-")))
        sticky = await stack.enter_async_context(running_world("sticky", folder, port, STICKY))
        spread = await stack.enter_async_context(running_world("round robin", folder, 0, SPREAD))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        welcome(console, sticky)
        with open_screen(console, turns) as screen:
            await compare((sticky, spread), session, turns, screen)
        console.print("All turns are sent; the gateway keeps running. Ctrl-C stops it.")
        await asyncio.Event().wait()


async def compare(
    worlds: tuple[World, World], session: aiohttp.ClientSession, turns: int, screen: Screen
) -> None:
    """All turns, and the score of both worlds on the screen while they are sent and after."""
    sender = _Sender(worlds, session, turns)
    try:
        async with asyncio.TaskGroup() as tasks:
            talks = [tasks.create_task(sender.talk()) for _ in range(_AT_A_TIME)]
            while not all(talk.done() for talk in talks):
                await asyncio.wait(talks, timeout=_REFRESH)
                await _show_scores(worlds, session, screen)
    except ExceptionGroup as failures:  # what `except*` raises, Python 3.11.2 puts into a group
        closed = failures.subgroup(BrokenPipeError)
        raise failures if closed is None else closed.exceptions[0] from None


async def _show_scores(
    worlds: tuple[World, World], session: aiohttp.ClientSession, screen: Screen
) -> None:
    try:
        scores = {world.name: await read_score(session, world.origin) for world in worlds}
    except aiohttp.ClientError as error:
        _log.warning("no score this time: %s", error)
    else:
        screen.show(scores)


class _Sender:
    """Sends the same turns to both worlds."""

    def __init__(
        self, worlds: tuple[World, World], session: aiohttp.ClientSession, turns: int
    ) -> None:
        self._worlds = worlds
        self._session = session
        self._turns = iter(range(1, turns + 1))
        self._traffic = Traffic()

    async def talk(self) -> None:
        """Send turn after turn until none is left; several of these run at once."""
        for number in self._turns:
            if number % _NAMELESS_EVERY == 0:
                await self._ask_nameless()
            turn = self._traffic.next_turn()
            if turn is not None:
                await self._take(turn)

    async def _take(self, turn: Turn) -> None:
        body = {"model": MODEL, "messages": msgspec.to_builtins(turn.messages), "user": turn.user}
        await asyncio.sleep(_PAUSE * turn.pause)
        answer, _ = await asyncio.gather(*(self._send(world, body, {}) for world in self._worlds))
        self._traffic.settle(turn, answer)

    async def _ask_nameless(self) -> None:
        """A call without a user, where that is not allowed: refused, flagged, on record."""
        body = {"model": MODEL, "messages": [{"role": "user", "content": "Who am I?"}]}
        headers = {"x-usagepanda-enforce-user-ids": "true"}
        await asyncio.gather(*(self._send(world, body, headers) for world in self._worlds))

    async def _send(
        self, world: World, body: dict[str, Any], headers: dict[str, str]
    ) -> str | None:
        """The text answered, None when the call failed: it is on record, and the talk goes on."""
        url = f"{world.origin}/v1/chat/completions"
        try:
            async with self._session.post(url, json=body, headers=headers) as answer:
                if not answer.ok:
                    return None
                text: str = (await answer.json())["choices"][0]["message"]["content"]
                return text
        except aiohttp.ClientError:
            return None
