"""What one end of a channel says is what the other hears."""

import asyncio
import math
import socket
from pathlib import Path

from gateway.metrics.snapshot import ProviderState, Snapshot
from gateway.processes.channel import (
    Channel,
    CooldownStarted,
    Drain,
    Message,
    Open,
    Snapshots,
    Start,
    UsersMoved,
)
from gateway.routing.health_state import Cooldown, HealthState
from gateway.units import Duration
from tests.parts.gateways import build_config

MEMORY = HealthState(
    out_since=-math.inf,
    out_until=math.inf,
    recovered_at=math.inf,
    cooldown_until=1.5,
    is_down=True,
    is_proven=False,
    ejections=2,
)


async def heard(*messages: Message) -> list[Message]:
    """What arrives when these are sent and the sender leaves."""
    here, there = map(Channel.open, socket.socketpair())
    sender, receiver = await asyncio.gather(here, there)
    for message in messages:
        sender.send(message)
    closing = asyncio.create_task(sender.close())
    found = [message async for message in receiver.messages()]
    await closing
    sender.send(Drain())
    await receiver.close()
    return found


async def test_messages_arrive_as_they_were(tmp_path: Path) -> None:
    """Also a whole configuration, with its durations and sizes, and times without an end."""
    models = ["m", {"name": "n", "upstream": "o"}]
    provider = {"name": "a", "base_url": "http://127.0.0.1:1", "models": models, "health": {}}
    config = build_config(tmp_path, [provider], keys=[{"name": "k", "key": "sk-1"}])
    state = ProviderState(name="a", in_flight=1, max_in_flight=2, is_out=True)
    said: list[Message] = [
        Start(config, {2**64 - 1: "a"}),
        Open({"a": MEMORY}),
        UsersMoved({0: "a", 7: "b"}),
        CooldownStarted("a", Cooldown(1.0, 2.0)),
        CooldownStarted("a", Cooldown(1.0, 2.0, ejections=1)),
        Snapshots(7, [Snapshot(providers=(state,), lost=1)]),
    ]
    found = await heard(*said)
    assert found[:5] == said[:5]
    answer = found[5]
    assert isinstance(answer, Snapshots)
    assert (answer.number, answer.snapshots[0].providers[0]) == (7, state)
    start = found[0]
    assert isinstance(start, Start)
    assert isinstance(start.config.server.drain, Duration)


async def test_a_large_message_arrives() -> None:
    """One that no buffer holds at once."""
    snapshot = Snapshot(flags={f"flag_{number}": number for number in range(100_000)})
    [answer] = await heard(Snapshots(1, [snapshot]))
    assert isinstance(answer, Snapshots)
    assert answer.snapshots[0].flags == snapshot.flags
