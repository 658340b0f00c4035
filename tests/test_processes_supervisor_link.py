"""A worker's link to the supervisor."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.assembly import Gateway
from gateway.ledger.ledger import Ledger
from gateway.processes.channel import Channel, Message, Probed, Ready, Retire, Start
from gateway.processes.supervisor_link import GRACE, SupervisorLink
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
    assert (link.opened.is_set(), link.grace) == (True, 0.0)
    assert isinstance(listening.exception(), ValueError)


async def test_a_worker_that_retires(link: SupervisorLink) -> None:
    """It leaves its waiting connections to their clients for a while."""
    listening = asyncio.create_task(link.listen(retiring()))
    await link.leaving.wait()
    assert link.grace == GRACE
    listening.cancel()


async def failing_probes() -> AsyncIterator[Message]:
    """What a supervisor says of a provider whose probe fails."""
    for at in (1.0, 2.0):
        yield Probed("oak", False, at)


@pytest.mark.parametrize(("probe", "is_down"), [({}, False), ({"health": {}}, True)])
async def test_probes_of_the_configuration_before(
    link: SupervisorLink, tmp_path: Path, probe: dict[str, object], is_down: bool
) -> None:
    """While a reload takes a provider's probe away, the one before may still fail: to the workers
    that begin then it says nothing, as no later one would end what it began."""
    oak = {"name": "oak", "base_url": "http://127.0.0.1:1", **probe}
    config = build_config(tmp_path, [oak])
    ledger = await Ledger.open(config.ledger)
    gateway = Gateway(config, ledger, link)
    link.attach(gateway, Start(config, {}))
    await link.listen(failing_probes())
    assert gateway.router.providers["oak"].health.is_down == is_down
    await gateway.close()
    await ledger.close()
