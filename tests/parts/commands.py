"""The `hearth` command as a process of its own."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

_TIMEOUT = 120.0
"""Seconds that a program may take on a busy machine, where it does what it should in one."""
_NOTHING = asyncio.subprocess.DEVNULL


class Finished(msgspec.Struct, frozen=True):
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str


class Running(msgspec.Struct, frozen=True):
    """A command that has not ended yet."""

    process: asyncio.subprocess.Process

    async def says(self, text: str) -> str:
        """All it writes to standard output up to the line with `text` in it."""
        out = self.process.stdout
        assert out is not None
        written = ""
        async with asyncio.timeout(_TIMEOUT):
            while text not in written:
                line = await out.readline()
                assert line, f"ended after {written}"
                written += line.decode()
        return written

    async def end(self, signal: int) -> int:
        """Send the signal; the exit code."""
        self.process.send_signal(signal)
        async with asyncio.timeout(_TIMEOUT):
            return await self.process.wait()


async def hearth(
    *arguments: str | Path,
    stderr: int = asyncio.subprocess.PIPE,
    stdin: str = "",
    **environ: str,
) -> Finished:
    """Run the command to its end with `stdin` to read; what it writes to another `stderr` than a
    pipe is not kept."""
    process = await _start(
        arguments, environ, stderr=stderr, stdin=asyncio.subprocess.PIPE if stdin else _NOTHING
    )
    async with asyncio.timeout(_TIMEOUT):
        out, err = await process.communicate(stdin.encode() or None)
    return Finished(process.returncode or 0, out.decode(), (err or b"").decode())


async def shell(script: str, **environ: str) -> Finished:
    """Give `script` to a shell, with nothing to read."""
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", script),
        stdin=_NOTHING,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environ},
    )
    async with asyncio.timeout(_TIMEOUT):
        out, err = await process.communicate()
    return Finished(process.returncode or 0, out.decode(), err.decode())


@asynccontextmanager
async def running_hearth(
    *arguments: str | Path, stdout: int = asyncio.subprocess.PIPE, **environ: str
) -> AsyncIterator[Running]:
    """The command for as long as the context is open; then it is killed, if it still runs."""
    process = await _start(arguments, environ, stdout)
    try:
        yield Running(process)
    finally:
        if process.returncode is None:
            process.kill()
        async with asyncio.timeout(_TIMEOUT):  # a process that it left could keep the pipes open
            await process.communicate()


async def _start(
    arguments: tuple[str | Path, ...],
    environ: Mapping[str, str],
    stdout: int = asyncio.subprocess.PIPE,
    stderr: int = asyncio.subprocess.PIPE,
    stdin: int = _NOTHING,
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", *map(str, arguments)),
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        env={**os.environ, **environ},
    )


def write_config(folder: Path, text: str = "") -> Path:
    """A configuration with its ledger in `folder`, and `text` in front."""
    file = folder / "config.yaml"
    providers = "providers: [{name: birch, base_url: 'http://127.0.0.1:9/v1'}]\n"
    ledger = f"ledger: {{url: 'sqlite:{folder}/hearth.db', journal: '{folder}/journal'}}\n"
    file.write_text(text + ("" if "providers:" in text else providers) + ledger)
    return file


def is_empty(folder: Path) -> bool:
    """Whether nothing was left in the folder."""
    return not any(folder.iterdir())
