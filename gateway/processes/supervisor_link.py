"""A worker's link to the supervisor, and through it to the other workers."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from functools import partial

from gateway.assembly import Gateway
from gateway.metrics.snapshot import Snapshot
from gateway.processes.channel import (
    Answer,
    Ask,
    Channel,
    Drain,
    Held,
    Message,
    Open,
    Probed,
    Retire,
    Start,
    Stepped,
)
from gateway.routing.memory import Hold

GRACE = 5.0
"""Seconds that a retired worker leaves its waiting connections to their clients."""

_GATHERING = 0.02
"""Seconds for which users' steps are gathered, to be told at once."""

_PATIENCE = 2.0
"""Seconds to wait for the others' snapshots."""


class SupervisorLink:
    """What the supervisor says is done here, and what others should know is told."""

    def __init__(self, channel: Channel) -> None:
        self.opened = asyncio.Event()
        self.leaving = asyncio.Event()
        self.grace = 0.0
        self._channel = channel
        self._gateway: Gateway | None = None
        self._numbers = itertools.count()
        self._asked: dict[int, asyncio.Future[Sequence[Snapshot]]] = {}
        self._steps: dict[int, str] = {}

    def join(self, gateway: Gateway, start: Start) -> None:
        """This is the gateway that is spoken of; it goes on where the others are."""
        self._gateway = gateway
        for name, provider in gateway.router.providers.items():
            if name in start.memories:
                provider.health.recall(start.memories[name])
            provider.health.on_hold = partial(self._tell_hold, name)
        gateway.proxy.trail.hear(start.steps)
        gateway.proxy.trail.on_step = self._note_step

    async def snapshots(self) -> Sequence[Snapshot]:
        """Of all workers, and what those that are gone counted; none, should all be silent."""
        number = next(self._numbers)
        answer: asyncio.Future[Sequence[Snapshot]] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        self._channel.send(Ask(number))
        try:
            async with asyncio.timeout(_PATIENCE):
                return await answer
        except TimeoutError:
            return []
        finally:
            del self._asked[number]

    async def listen(self, messages: AsyncIterator[Message]) -> None:
        """Hear what the supervisor says, until it is gone."""
        async for message in messages:
            self._hear(message)
        self.leave()

    def leave(self, grace: float = 0.0) -> None:
        """Go, after `grace` seconds for clients to turn to others."""
        self.grace = grace
        self.leaving.set()
        self.opened.set()

    def _tell_hold(self, provider: str, hold: Hold) -> None:
        self._channel.send(Held(provider, hold))

    def _note_step(self, walker: int, provider: str) -> None:
        if not self._steps:
            asyncio.get_running_loop().call_later(_GATHERING, self._tell_steps)
        self._steps[walker] = provider

    def _tell_steps(self) -> None:
        steps, self._steps = self._steps, {}
        self._channel.send(Stepped(steps))

    def _hear(self, message: Message) -> None:
        match message:
            case Open():
                self.opened.set()
            case Retire():
                self.leave(GRACE)
            case Drain():
                self.leave()
            case Answer(number, snapshots):
                if number in self._asked and not self._asked[number].done():
                    self._asked[number].set_result(snapshots)
            case _ if self._gateway:
                self._hear_of(message, self._gateway)

    def _hear_of(self, message: Message, gateway: Gateway) -> None:
        providers = gateway.router.providers
        match message:
            case Held(name, hold) if name in providers:
                providers[name].health.hear(hold)
            case Stepped(steps):
                gateway.proxy.trail.hear(steps)
            case Probed(name, good, at) if name in providers:
                providers[name].health.probed(good, at)
            case Ask(number):
                self._channel.send(Answer(number, [gateway.snapshot()]))
