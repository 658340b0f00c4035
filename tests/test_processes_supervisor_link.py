"""A worker's link to the supervisor."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from gateway.processes.channel import Channel, Message, Ready, Retire
from gateway.processes.supervisor_link import GRACE, SupervisorLink


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
