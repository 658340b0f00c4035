"""The messages between the supervisor and a worker: MessagePack over a socket pair of their own."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Self

import msgspec

from gateway.config import Config
from gateway.metrics.snapshot import Snapshot
from gateway.routing.health_state import Cooldown, HealthState

_SIZE = 4


class _Message(msgspec.Struct, frozen=True, tag=True):
    """Its class is sent as its name."""


class Start(_Message, frozen=True):
    """To a worker, first of all: its configuration, and who answered users last."""

    config: Config
    last_providers: Mapping[int, str] = {}


class Ready(_Message, frozen=True):
    """To the supervisor: connections may come."""


class Heartbeat(_Message, frozen=True):
    """To the supervisor: the event loop turns."""


class Failed(_Message, frozen=True):
    """To the supervisor: the worker cannot go on, and why."""

    reason: str


class Open(_Message, frozen=True):
    """To a worker that is ready: take connections, with the health of the providers so far.

    A supervisor that is older than the package below it sends none.
    """

    health: Mapping[str, HealthState] = {}


class Retire(_Message, frozen=True):
    """To a worker: others take the new connections; go when those there are have ended."""


class Drain(_Message, frozen=True):
    """To a worker: take nothing new, finish what is under way, and go."""


class CooldownStarted(_Message, frozen=True):
    """Either way: a provider is to be left alone for some time."""

    provider: str
    cooldown: Cooldown


class UsersMoved(_Message, frozen=True):
    """Either way: who answered users last that are new or have moved, as `LastProviders` has it."""

    providers: Mapping[int, str]


class Probed(_Message, frozen=True):
    """To a worker: a probe has ended, well or not, at a time on the monotonic clock."""

    provider: str
    good: bool
    at: float


class SnapshotRequest(_Message, frozen=True):
    """To the supervisor: asks for all snapshots. To a worker: asks for its own. `number` comes back
    with the reply."""

    number: int


class Snapshots(_Message, frozen=True):
    """The reply: a worker's one snapshot, or those of all processes from the supervisor."""

    number: int
    snapshots: Sequence[Snapshot]


class FinalCounts(_Message, frozen=True):
    """To the supervisor, at the end: all that was counted."""

    snapshot: Snapshot


ToWorker = (
    Start
    | Open
    | Retire
    | Drain
    | CooldownStarted
    | UsersMoved
    | Probed
    | SnapshotRequest
    | Snapshots
)
ToSupervisor = (
    Ready
    | Heartbeat
    | Failed
    | CooldownStarted
    | UsersMoved
    | SnapshotRequest
    | Snapshots
    | FinalCounts
)
Message = ToWorker | ToSupervisor


class Channel:
    """One end of the socket pair."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._encoder = msgspec.msgpack.Encoder(enc_hook=_plain)
        self._decoder: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(
            Message, dec_hook=_unit
        )

    @classmethod
    async def open(cls, end: socket.socket) -> Self:
        """Take over one end of a socket pair."""
        return cls(*await asyncio.open_unix_connection(sock=end))

    def send(self, message: Message) -> None:
        """Queue `message`; nothing happens when the other end is gone."""
        if not self._writer.is_closing():
            data = self._encoder.encode(message)
            self._writer.write(len(data).to_bytes(_SIZE) + data)

    async def messages(self) -> AsyncIterator[Message]:
        """Those of the other end in order, until that is gone."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while size := await self._reader.readexactly(_SIZE):
                yield self._decoder.decode(await self._reader.readexactly(int.from_bytes(size)))

    async def close(self) -> None:
        """Send what is queued, and close this end."""
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()


def _plain(value: object) -> object:
    """A duration or a size, which msgspec does not know, as a number, which it does."""
    return float(value) if isinstance(value, float) else int(value)  # type: ignore[call-overload]


def _unit(unit: Any, value: object) -> Any:
    return unit(value)
