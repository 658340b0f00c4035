"""A worker's link to the supervisor, and through it to the other workers."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from functools import partial

from gateway.assembly import Gateway
from gateway.metrics.snapshot import Snapshot
from gateway.processes.channel import (
    Channel,
    CooldownStarted,
    Drain,
    Message,
    Open,
    Probed,
    Retire,
    SnapshotRequest,
    Snapshots,
    Start,
    UsersMoved,
)
from gateway.routing.health_state import Cooldown

_GATHERING = 0.02
"""Seconds for which users' moves are gathered, to be sent at once."""

_TIMEOUT = 2.0
"""Seconds to wait for the others' snapshots."""


class SupervisorLink:
    """Carries out what the supervisor says, and reports what the other workers should know.

    Events: `opened`, connections may come; `leaving`, no more; `ending`, and what is under way has
    `server.drain` to finish.
    """

    def __init__(self, channel: Channel) -> None:
        self.opened = asyncio.Event()
        self.leaving = asyncio.Event()
        self.ending = asyncio.Event()
        self._channel = channel
        self._gateway: Gateway | None = None
        self._numbers = itertools.count()
        self._asked: dict[int, asyncio.Future[Sequence[Snapshot]]] = {}
        self._moved: dict[int, str] = {}

    def attach(self, gateway: Gateway, start: Start) -> None:
        """Link this gateway, and tell it who answered users last."""
        self._gateway = gateway
        for name, provider in gateway.router.providers.items():
            provider.health.on_cooldown = partial(self._send_cooldown, name)
        gateway.proxy.last_providers.merge(start.last_providers)
        gateway.proxy.last_providers.on_change = self._note_move

    async def snapshots(self) -> Sequence[Snapshot]:
        """Of all processes, and of workers that are gone; none when the supervisor is silent."""
        number = next(self._numbers)
        answer: asyncio.Future[Sequence[Snapshot]] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        self._channel.send(SnapshotRequest(number))
        try:
            async with asyncio.timeout(_TIMEOUT):
                return await answer
        except TimeoutError:
            return []
        finally:
            del self._asked[number]

    async def listen(self, messages: AsyncIterator[Message]) -> None:
        """Handle the supervisor's messages until it is gone, or one fails; then leave."""
        try:
            async for message in messages:
                self._receive(message)
        finally:
            self.leave()

    def leave(self) -> None:
        """Have the worker end."""
        self.ending.set()
        self._retire()

    def _retire(self) -> None:
        self.leaving.set()
        self.opened.set()

    def _send_cooldown(self, provider: str, cooldown: Cooldown) -> None:
        self._channel.send(CooldownStarted(provider, cooldown))

    def _note_move(self, user_hash: int, provider: str) -> None:
        if not self._moved:
            asyncio.get_running_loop().call_later(_GATHERING, self._send_moves)
        self._moved[user_hash] = provider

    def _send_moves(self) -> None:
        moved, self._moved = self._moved, {}
        self._channel.send(UsersMoved(moved))

    def _receive(self, message: Message) -> None:
        match message:
            case Retire():
                self._retire()
            case Drain():
                self.leave()
            case Snapshots(number, snapshots):
                if number in self._asked and not self._asked[number].done():
                    self._asked[number].set_result(snapshots)
            case _ if self._gateway:
                self._apply(message, self._gateway)

    def _apply(self, message: Message, gateway: Gateway) -> None:
        providers = gateway.router.providers
        match message:
            case Open(health):
                for name in providers.keys() & health.keys():
                    providers[name].health.restore(health[name])
                self.opened.set()
            case CooldownStarted() | Probed() if not self.opened.is_set():
                pass  # by the configuration before; what still holds comes with `Open`
            case CooldownStarted(name, cooldown) if name in providers:
                providers[name].health.apply(cooldown)
            case UsersMoved(moved):
                gateway.proxy.last_providers.merge(moved)
            case Probed(name, good, at) if name in providers:
                providers[name].health.probed(good, at)
            case SnapshotRequest(number):
                self._channel.send(Snapshots(number, [gateway.snapshot()]))
