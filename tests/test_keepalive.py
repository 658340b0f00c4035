"""The kernel asks after a provider that is silent."""

import asyncio
from pathlib import Path

from tests.parts.exchanges import GET
from tests.parts.raw_provider import Peer, serving
from tests.parts.waiting import until


def seconds_to_probe(port: int) -> list[float]:
    """Until the kernel probes each connection to a port of this machine; see proc(5)."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    timers = [row[5].split(":") for row in rows if row[2].endswith(f":{port:04X}")]
    return [int(when, 16) / 100 for timer, when in timers if timer == "02"]


async def test_a_silent_connection_is_probed() -> None:
    """Within a minute, so that nothing on the way forgets it while a model thinks."""
    asked = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.head()
        asked.set()
        await peer.wait_closed()

    async with serving(script) as provider:
        call = asyncio.create_task(provider.upstream().send(GET, b""))
        await asked.wait()
        await until(lambda: seconds_to_probe(provider.port) != [])  # once the request is confirmed
        [seconds] = seconds_to_probe(provider.port)
        call.cancel()
    assert 0 < seconds <= 60
