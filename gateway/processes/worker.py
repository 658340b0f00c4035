"""A worker: serves on the sockets it was given until the supervisor, or SIGTERM, ends it.

It also ends when the supervisor is gone, which ships its journal and probes the providers.
"""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import uvloop

from gateway.assembly import Gateway
from gateway.config import Config
from gateway.ledger.journal import JournalError
from gateway.ledger.ledger import Ledger
from gateway.ledger.store import StoreUnavailable
from gateway.processes.channel import Channel, Failed, FinalCounts, Heartbeat, Message, Ready, Start
from gateway.processes.garbage import collect_seldom
from gateway.processes.heap import share_heap
from gateway.processes.heartbeat import beat
from gateway.processes.logs import log_to_stderr
from gateway.processes.supervisor_link import SupervisorLink
from gateway.server import serving


async def work(end: socket.socket, sockets: Sequence[socket.socket]) -> None:
    """From the first message to the last answer."""
    channel = await Channel.open(end)
    messages = channel.messages()
    start = await anext(messages, None)
    beating = asyncio.create_task(beat(partial(channel.send, Heartbeat())))
    if isinstance(start, Start):  # else the supervisor is gone already
        try:
            await _serve(channel, messages, start, sockets)
        except (OSError, StoreUnavailable, JournalError) as error:  # OSError: of TLS as well
            channel.send(Failed(str(error)))
    beating.cancel()
    await channel.close()


async def _serve(
    channel: Channel,
    messages: AsyncIterator[Message],
    start: Start,
    sockets: Sequence[socket.socket],
) -> None:
    link = SupervisorLink(channel)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, link.leave)

    @asynccontextmanager
    async def lifespan(config: Config) -> AsyncIterator[Gateway]:
        ledger = await Ledger.open(config.ledger)
        gateway = Gateway(config, ledger, link)
        link.attach(gateway, start)
        listening = asyncio.create_task(link.listen(messages))
        channel.send(Ready())
        await link.opened.wait()
        yield gateway
        await gateway.close()
        await ledger.close()
        listening.cancel()
        channel.send(FinalCounts(gateway.snapshot()))

    async with serving(start.config, sockets, lifespan) as gateway:
        for each in sockets:
            each.close()  # once the gateway lets go of them, none is left here
        await link.leaving.wait()
        if not link.ending.is_set():
            gateway.retired_until = link.ending


def run(channel: int, *sockets: int) -> None:
    """Work with these file descriptors, to the end."""
    log_to_stderr()
    collect_seldom()
    share_heap()
    end = socket.socket(fileno=channel)
    uvloop.run(work(end, [socket.socket(fileno=each) for each in sockets]))
