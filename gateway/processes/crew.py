"""The workers: who stands in which place, and who takes the place of one that fell."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any

from gateway.config import Config
from gateway.processes.board import Board
from gateway.processes.channel import Failed, Message, Open, Ready, Start
from gateway.processes.hand import Hand, StartFailed
from gateway.processes.shares import share_of
from gateway.processes.slots import Slots

_SETTLED = 10.0
"""A worker that lived for so many seconds is replaced at once, others after a while."""

_FIRST_DELAY = 0.1
_LONGEST_DELAY = 10.0

_log = logging.getLogger(__name__)


class Crew:
    """The workers on `slots`, which tell each other on `board` what all have to know."""

    def __init__(self, slots: Slots, board: Board) -> None:
        self._slots = slots
        self._board = board
        self._serving: dict[int, Hand] = {}
        self._falls: Counter[int] = Counter()
        self._stopping = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, config: Config) -> None:
        """Have workers with `config` take the places of those there are, without a gap between.

        StartFailed, OSError and a cancellation leave everything as it was.
        """
        places = range(config.server.workers)
        fresh = await self._start(config, places)
        old, self._serving = self._serving, dict(zip(places, fresh, strict=True))
        self._config = config
        self._board.renew(config)
        for hand in fresh:
            hand.tell(Open())
        for hand in old.values():
            hand.retire()

    async def stop(self, within: float) -> None:
        """Drain all, and end those that take longer than `within` seconds."""
        self._serving = {}
        self._stopping.set()
        for hand in self._board.hands:
            hand.drain()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within)
        self.kill()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def kill(self) -> None:
        """End all at once."""
        for hand in self._board.hands:
            hand.kill()

    async def _start(self, config: Config, places: Sequence[int]) -> list[Hand]:
        """All of them ready, or none."""
        fresh: list[Hand] = []
        try:
            for place in places:
                hand = await self._hire(config, place)
                fresh.append(hand)
            await asyncio.gather(*(hand.started() for hand in fresh))
            self._slots.listen()
        except (StartFailed, OSError, asyncio.CancelledError):
            for hand in fresh:
                hand.kill()
            raise
        return fresh

    async def _hire(self, config: Config, place: int) -> Hand:
        board = self._board
        hand = await Hand.hire(self._slots.of(place, config.server.workers))
        # Nothing may come between: what others say from here on, it is told as they are.
        hand.tell(Start(share_of(config, place), board.memories(config), board.trail.steps()))
        board.hands.add(hand)
        self._keep(self._attend(hand, place))
        return hand

    async def _attend(self, hand: Hand, place: int) -> None:
        """Hear a worker out until it has gone, and see to its place."""
        began = time.monotonic()
        async for message in hand.messages():
            self._hear(hand, message)
        code = await hand.wait()
        self._board.left(hand)
        if self._serving.get(place) is hand:
            _log.error("%s ended with %d; another one takes its place", hand, code)
            has_settled = time.monotonic() - began > _SETTLED
            self._falls[place] = 0 if has_settled else self._falls[place] + 1
            await self._replace(hand, place)

    def _hear(self, hand: Hand, message: Message) -> None:
        match message:
            case Ready():
                hand.is_ready()
            case Failed(reason):
                hand.failed(reason)
            case _:
                self._board.hear(hand, message)

    async def _replace(self, fallen: Hand, place: int) -> None:
        """Fill a place, unless a reload or the end came before."""
        await self._pause(place)
        while self._serving.get(place) is fallen:
            try:
                hand = await self._hire(self._config, place)
            except OSError as error:
                _log.error("no worker for a free place: %s", error)  # says all
                self._falls[place] += 1
                await self._pause(place)
                continue
            if self._serving.get(place) is not fallen:
                hand.kill()
                return
            self._serving[place] = hand
            await self._admit(hand)

    async def _admit(self, hand: Hand) -> None:
        try:
            await hand.started()
        except StartFailed as error:
            _log.error("%s", error)  # whoever attends to it sees to the place
            hand.kill()
        else:
            hand.tell(Open())

    async def _pause(self, place: int) -> None:
        """The longer, the more of this place's workers fell one soon after the other."""
        if falls := self._falls[place]:
            delay = min(_FIRST_DELAY * 2.0 ** min(falls - 1, 64), _LONGEST_DELAY)
            with suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._stopping.wait()

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
