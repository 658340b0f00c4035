"""A worker's link to the supervisor."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from gateway.assembly import Gateway
from gateway.ledger.ledger import Ledger
from gateway.processes.channel import (
    Channel,
    CooldownStarted,
    Message,
    Open,
    Probed,
    Ready,
    Retire,
    Start,
)
from gateway.processes.supervisor_link import SupervisorLink
from gateway.routing.health_state import Cooldown
from tests.parts.gateways import build_config


@pytest.fixture
async def link() -> AsyncIterator[SupervisorLink]:
    """One whose supervisor says nothing of itself."""
    ours, theirs = socket.socketpair()
    channel = await Channel.open(ours)
    with theirs:
        yield SupervisorLink(channel)
        await channel.close()


async def retiring() -> AsyncIterator[Message]:
    """What a supervisor says that then stays."""
    yield Retire()
    await asyncio.Event().wait()


async def mistaken() -> AsyncIterator[Message]:
    """The same of one whose next message cannot be read."""
    yield Ready()
    raise ValueError("a mistake")


async def test_what_cannot_be_handled(link: SupervisorLink) -> None:
    """A worker that is deaf from then on leaves, so that one that hears takes its place."""
    listening = asyncio.create_task(link.listen(mistaken()))
    await link.leaving.wait()
    assert link.opened.is_set()
    assert link.ending.is_set()
    assert isinstance(listening.exception(), ValueError)


async def test_a_worker_that_retires(link: SupervisorLink) -> None:
    """It leaves, and no end presses its calls, until the supervisor says so, or says no more."""
    listening = asyncio.create_task(link.listen(retiring()))
    await link.leaving.wait()
    assert not link.ending.is_set()
    listening.cancel()
    await link.ending.wait()


FAILURES = (
    CooldownStarted("oak", Cooldown(1.0, 301.0, ejections=1)),
    Probed("oak", False, 1.0),
    Probed("oak", False, 2.0),
)


async def opening(*before: Message, then: Sequence[Message] = ()) -> AsyncIterator[Message]:
    """What a supervisor says around the moment when a worker is to take connections."""
    for message in (*before, Open({}), *then):
        yield message


@pytest.mark.parametrize("is_open", [False, True])
async def test_failures_of_the_configuration_before(
    link: SupervisorLink, tmp_path: Path, is_open: bool
) -> None:
    """What fails while a reload starts new workers says nothing to them, who may have it mended:
    they are told of the health that still holds when they take connections."""
    config = build_config(tmp_path, [{"name": "oak", "base_url": "http://127.0.0.1:1"}])
    ledger = await Ledger.open(config.ledger)
    gateway = Gateway(config, ledger, link)
    link.attach(gateway, Start(config))
    await link.listen(opening(then=FAILURES) if is_open else opening(*FAILURES))
    health = gateway.router.providers["oak"].health
    assert (health.is_down, health.ejections) == (is_open, int(is_open))
    await gateway.close()
    await ledger.close()
