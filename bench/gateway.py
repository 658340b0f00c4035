"""One gateway, `hearth serve`, as a process that is killed and started again."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from random import Random

import yaml

from bench.ports import HOST, free_port

_TIMEOUT = 60.0
"""Seconds to start, and to end: a machine that others use as well may be slow."""

_BREAK = 0.2
"""Seconds before another try to start."""


class Gateway:
    """Serves on one port for good, with a journal of its own, its processes in one session."""

    def __init__(self, folder: Path, store: str, provider: str, workers: int) -> None:
        self.port = free_port()
        self.journal = folder / "journal"
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        folder.mkdir(parents=True)
        tree = {
            "server": {"host": HOST, "port": self.port, "workers": workers},
            "ledger": {"url": store, "journal": str(self.journal)},
            "providers": [{"name": "mock", "base_url": provider}],
        }
        (folder / "config.yaml").write_text(yaml.safe_dump(tree))

    @property
    def origin(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        """The process id of the supervisor, while it runs."""
        assert self._process
        return self._process.pid

    async def start(self) -> None:
        """Return when all its workers serve. While workers of a killed supervisor still have the
        port it cannot start, so that is tried again and again, as a service manager would."""
        async with asyncio.timeout(_TIMEOUT):
            while not await self._begins():  # noqa: ASYNC110  # another process sets no Event
                await asyncio.sleep(_BREAK)

    async def kill(self, chance: Random) -> None:
        """SIGKILL one of its processes, whichever; if that ends it, start it again."""
        assert self._process
        victim = chance.choice([self._process.pid, *_children(self._process.pid)])
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
        if victim == self._process.pid:
            await self._process.wait()
            await self.start()

    async def stop(self) -> None:
        """Ask it to end, which ships what the store takes."""
        if self._process and self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
            with suppress(TimeoutError):
                async with asyncio.timeout(_TIMEOUT):
                    await self._process.wait()
        self.end()

    def end(self) -> None:
        """Leave nothing of it behind, whatever happened."""
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def _begins(self) -> bool:
        """Start a process; whether it said where it listens."""
        with (self._folder / "log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "gateway", "serve"),
                *("-c", str(self._folder / "config.yaml")),
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        assert self._process.stdout
        return bool(await self._process.stdout.readline())


def _children(pid: int) -> list[int]:
    """The processes it started (proc(5), children)."""
    try:
        return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
